# ruff: noqa: E501  # the places stand as they are printed
"""Faults that no test has to notice, each with its reason: the program does the same, or it costs time or memory alone.

Each stands as `make mutants` shows it, without its line. A draw counts them apart.
"""

import re

ACCEPTED = {
    "agentops_otel/export/pipeline.py comparison: len(self._queue) >= 2 * self._limit -> (len(self._queue) > 2 * self._limit)": (
        "speed alone: the program's other threads help one span later"
    ),
    "agentops_otel/content/json_writer.py operands: value - value -> (value - value)": (
        "the same: both sides are one value"
    ),
    "agentops_otel/content/truncation.py constant: 512 -> 1024": (
        "how short an item of a list that is cut may become: the list as a whole is as long"
    ),
    "agentops_otel/export/pipeline.py statement: self._let_gather(self._limit) -> pass": (
        "speed alone: the program's threads signal once more before the queue is full"
    ),
    "agentops_otel/tracing/context.py word: \"agentops_otel\" -> 'agentops_otem'": (
        "the same: it is compared with itself, and for others it is any true value"
    ),
    "agentops_otel/tracing/context.py statement: get_current() -> pass": (
        "the same with the OpenTelemetry that is locked: it has chosen before"
    ),
    "agentops_otel/recording/decorated.py operator: recorder.content.enabled and span.is_recording() -> (recorder.content.enabled or span.is_recording())": (
        "time alone: arguments are named, and the recorder records none of them"
    ),
    "agentops_otel/recording/decorated.py operator: self._parameters or self.names() -> (self._parameters and self.names())": (
        "the same: the names are read at the first use, whichever it is"
    ),
    "agentops_otel/recording/parameters.py constant: 0 -> 1": (
        "time alone: a function without a signature takes the longer way, and its call fits no count of arguments"
    ),
    "agentops_otel/config.py word: \"api_key\" -> 'api_kex'": ("the same: the key is checked once more"),
    "agentops_otel/config.py word: \"capture_content\" -> 'capture_contenu'": ("the same: it is read once more"),
    "agentops_otel/config.py word: \"endpoint\" -> 'endpoinu'": ("the same: it is read once more"),
    "agentops_otel/config.py word: \"headers\" -> 'headerr'": ("the same: it is read once more"),
    "agentops_otel/cli.py statement: time.sleep(file.FOLLOW_S) -> pass": (
        "time alone: files are looked at without a pause"
    ),
    "agentops_otel/client.py constant: 1.0 -> 3.0": (
        "time alone: who asks for totals waits longer for the exporting thread"
    ),
    "agentops_otel/settings.py word: \"console\" -> 'consold'": (
        "the same: OpenTelemetry's SDK installs an exporter of that name"
    ),
    "agentops_otel/sdk/installations.py word: \"taskweaver\" -> 'taskweaves'": (
        "the same: the file's name is not asked for, since there is one"
    ),
    "agentops_otel/content/json_writer.py comparison: self._remaining_bytes >= self._least_bytes -> (self._remaining_bytes > self._least_bytes)": (
        "a list may end one item earlier where its share of the bytes is used up exactly"
    ),
    "agentops_otel/content/json_writer.py constant: 2 -> 3": (
        "a key that is cut may take a third of the bytes in place of half"
    ),
    "agentops_otel/destinations.py word: \"endpoint\" -> 'endpoinu'": (
        "the same: the name is for what is refused, and this endpoint is right"
    ),
    "agentops_otel/clients/mistralai/conversations.py word: \"message.output\" -> 'message.outpuu'": (
        "the same: a message is told from a call, whatever it is called"
    ),
    "agentops_otel/export/meters.py statement: self.durable = False -> pass": (
        "the same: it is set with the senders, and read for one of them"
    ),
    "agentops_otel/destinations.py word: \"protocol\" -> 'protocom'": (
        "the same: an argument is refused before, and no message names it here"
    ),
    "agentops_otel/destinations.py word: \"timeout\" -> 'timeouu'": ("the same: the default is right"),
    "agentops_otel/environment.py word: \"headers\" -> 'headerr'": ("the same: no headers are right"),
    "agentops_otel/export/encode.py condition: isinstance(attributes, MappingProxyType) -> (not (isinstance(attributes, MappingProxyType)))": (
        "speed alone: the SDK's mapping is walked itself"
    ),
    "agentops_otel/export/pipeline.py constant: 2000 -> 4000": ("speed alone: the program helps sooner to encode"),
    "agentops_otel/content/named_values.py constant: 19 -> 38": ("the same: what is looked for is no longer"),
    "agentops_otel/doctor.py word: \"cannot be reached\" -> 'cannot be reachee'": ("words for people"),
    "agentops_otel/export/sender.py constant: 10 -> 20": ("the same: five seconds are reached before"),
    "agentops_otel/export/encode.py constant: 4096 -> 8192": (
        "memory alone: twice as many names, values and resources are remembered"
    ),
    "agentops_otel/export/process_exit.py constant: 13 -> 26": (
        "noticed on Python 3.13, whose children of multiprocessing call the handlers of atexit"
    ),
    "agentops_otel/export/process_exit.py constant: 3 -> 4": (
        "noticed on Python 3.13, whose children of multiprocessing call the handlers of atexit"
    ),
    "agentops_otel/export/user_processors.py statement: caller.stand_ready() -> pass": (
        "noticed on Python 3.12, which starts no thread at the end of a program"
    ),
    "agentops_otel/export/user_processors.py statement: self._thread.start() -> pass": (
        "noticed on Python 3.12, which starts no thread at the end of a program"
    ),
    "agentops_otel/export/viewers.py constant: 2.0 -> 5.0": (
        "time alone: a viewer that does not answer is given up later"
    ),
    "agentops_otel/export/grpc.py statement: self._socket.settimeout(remaining_s(deadline)) -> pass": (
        "time alone: what is flushed before is 64 kB at most, which the socket takes at once"
    ),
    "agentops_otel/export/http1.py constant: 1024 -> 2048": (
        "memory alone: an answer of two megabytes is read where one was"
    ),
    "agentops_otel/export/outbox.py constant: 0 -> 1": ("the same: nothing is added after the end"),
    "agentops_otel/export/pipeline.py statement: self._hurry = True -> pass": (
        "time alone: a flush just before the worker lets spans gather may wait for that tenth of a second"
    ),
    "agentops_otel/export/pipeline.py statement: time.sleep(0) -> pass": (
        "speed alone: the worker gives the interpreter away sooner than it has to"
    ),
    "agentops_otel/export/sender.py constant: 1 -> 2": (
        "time alone: a request of two spans is refused once more before it is split"
    ),
    "agentops_otel/export/sender.py word: \"partial\" -> 'partiam'": ("the same: another key for the same line"),
    "agentops_otel/export/outbox.py comparison: most_bytes > 0 -> (most_bytes >= 0)": (
        "one request more is written where those before it have just so many bytes: it is about as many"
    ),
    "agentops_otel/export/threads.py comparison: sys.version_info < (3, 13) -> (sys.version_info <= (3, 13))": (
        "the same: the version of a Python has more numbers than two"
    ),
    "agentops_otel/content/secret_shapes.py argument: groupby(parts, key=itemgetter(0)) -> groupby(parts)": (
        "speed alone: the letters before a sign are tried one by one"
    ),
    "agentops_otel/cli.py word: \"request\" -> 'requesu'": ("words for people"),
    "agentops_otel/export/connect.py constant: 64 -> 128": ("the same: more is read at a time"),
    "agentops_otel/export/connect.py constant: 1024 -> 2048": ("the same: more is read at a time"),
    "agentops_otel/export/grpc.py constant: 64 -> 128": ("the same: more is read at a time"),
    "agentops_otel/export/http1.py constant: 64 -> 128": (
        "memory alone: more is read at a time, and longer headers of an answer"
    ),
    "agentops_otel/export/http.py constant: 64 -> 128": ("the same: no request comes to that many bytes"),
    "agentops_otel/export/http.py constant: 1024 -> 2048": ("the same: no request comes to that many bytes"),
    "agentops_otel/export/agentops.py constant: 5.0 -> 11.0": (
        "time alone: AgentOps that does not answer is given up later"
    ),
    "agentops_otel/export/agentops_api.py constant: 5.0 -> 11.0": (
        "time alone: AgentOps that does not answer is given up later"
    ),
    "agentops_otel/export/file.py constant: 0.2 -> 1.4": ("time alone: what is written is followed a second later"),
    "agentops_otel/export/meters.py constant: 30.0 -> 61.0": (
        "time alone: a callback of the program is waited for longer"
    ),
    "agentops_otel/export/outbox.py constant: 3600.0 -> 7201.0": ("the same: it is waited again"),
    "agentops_otel/export/outbox.py statement: time.sleep(0) -> pass": (
        "speed alone: the program has the interpreter a moment later"
    ),
    "agentops_otel/export/spool.py constant: 1024 -> 2048": (
        "a file of the spool is closed at sixteen megabytes: the bound of all of them is held by a test"
    ),
    "agentops_otel/export/spool.py constant: 1 -> 2": (
        "the same: records of an ended process are counted anew when its file has been read to its end"
    ),
    "agentops_otel/export/spool.py comparison: segment.own is self._turn -> (segment.own is not self._turn)": (
        "the same turns, begun by the other: own files and those of ended processes are read alternately"
    ),
    "agentops_otel/content/redaction.py statement: clean.keep(new) -> pass": (
        "speed alone: texts that come again are searched again"
    ),
    "agentops_otel/tracing/span.py operator: (kind is str and tracer.text_limit is None) or kind in _PLAIN -> ((kind is str and tracer.text_limit is None) and kind in _PLAIN)": (
        "speed alone: each value goes the way of the strange ones"
    ),
    "agentops_otel/content/text.py return: return ( type(value) is tuple and len(value) <= _FEW and _TEXTS.issupe -> return None": (
        "speed alone: what is not known to be short is looked at again with each span"
    ),
    "agentops_otel/frameworks/openai_agents.py return: return result -> return None": (
        "the same: these methods of the package return nothing"
    ),
    "agentops_otel/frameworks/openai_agents.py return: return wrapped(*args, **kwargs) -> return None": (
        "the same: these methods of the package return nothing"
    ),
    "agentops_otel/instrumentation/gen_ai.py constant: 8 -> 9": (
        "speed alone: a conversation of nine messages is read at once"
    ),
    "agentops_otel/instrumentation/gen_ai.py constant: 0 -> 1": ("the same: three quarters of one byte are none"),
    "agentops_otel/metrics/call_metrics.py word: \"Time to the first chunk.\" -> 'Time to the first chunk/'": (
        "words for people, in a table of names and bounds"
    ),
    "agentops_otel/recording/decorated.py statement: self._form = (form, defaults, inherited) -> pass": (
        "speed alone: what the spans of a function have in common is made anew"
    ),
    "agentops_otel/recording/decorated.py constant: 0 -> 1": ("the same: that flag says nothing of how it is called"),
    "agentops_otel/tracing/recorder.py argument: field( default_factory=WeakKeyDictionary, compare=False, repr=False ) -> field(default_factory=WeakKeyDictionary, repr=False)": (
        "the same: no two recorders are compared or printed"
    ),
    "agentops_otel/tracing/recorder.py argument: field( default_factory=WeakKeyDictionary, compare=False, repr=False ) -> field(default_factory=WeakKeyDictionary, compare=False)": (
        "the same: no two recorders are compared or printed"
    ),
    "agentops_otel/tracing/recorder.py constant: False -> True": ("the same: no two recorders are compared or printed"),
    "agentops_otel/tracing/recorder.py word: \"tracer\" -> 'traces'": (
        "time alone: a span of ours is then asked whether it begins a trace of its own, and says no"
    ),
    "agentops_otel/taskweaver/hooks.py constant: 0 -> 1": ("the same: it is the default of what does nothing"),
    "agentops_otel/tracing/context.py condition: variable is None -> (not (variable is None))": (
        "speed alone: the calls between `get_current` and its variable are made"
    ),
    "agentops_otel/tracing/fork_wait.py constant: 0.0002 -> 1.0004": (
        "time alone: the system removes a thread's entry within microseconds of its end"
    ),
    "agentops_otel/tracing/processors.py operator: hasattr(processor, method) and not _is_base_method(getattr(processor,  -> (hasattr(processor, method) or not _is_base_method(getattr(processor, ": (
        "speed alone: methods that do nothing are called"
    ),
    "agentops_otel/tracing/recorder.py constant: 0 -> 1": ("the same: one byte of a span's bound"),
    "agentops_otel/tracing/span.py comparison: len(values) + len(attributes) <= tracer.attribute_limit -> (len(values) + len(attributes) < tracer.attribute_limit)": (
        "speed alone: the attributes that fill a span are set one by one"
    ),
    "agentops_otel/tracing/span.py constant: False -> True": (
        "speed alone: attributes that hold nothing deferred are looked through"
    ),
    "agentops_otel/tracing/exceptions.py constant: True -> False": (
        "memory alone: what Python leaves out is not printed either"
    ),
    "agentops_otel/view/live/store.py constant: 50 -> 100": ("memory alone: a hundred spans are read at a time"),
    'agentops_otel/view/live/store.py statement: self._database.execute("PRAGMA journal_mode = WAL") -> pass': (
        "speed alone: a reader then waits for a writer"
    ),
    "agentops_otel/view/live/server.py constant: 25.0 -> 51.0": (
        "time alone: a page that waits is answered, that nothing has happened, after as long"
    ),
    "agentops_otel/tracing/context.py word: \"agentops_otel_entered\" -> 'agentops_otel_enteree'": (
        "the same: a name that nobody asks for"
    ),
    "agentops_otel/tracing/gc_safe.py constant: 10.0 -> 21.0": ("time alone: whoever flushes says how long"),
    "agentops_otel/tracing/fork_wait.py statement: time.sleep(_POLL_S) -> pass": (
        "speed alone: what is waited for is looked at without a pause"
    ),
    "agentops_otel/content/fast_json.py operator: kind not in _ATOMS and not (kind is float and isfinite(item)) -> (kind not in _ATOMS or not (kind is float and isfinite(item)))": (
        "speed alone: the other of two ways to the same JSON"
    ),
    "agentops_otel/recording/session.py condition: current -> (not (current))": (
        "speed alone: the session is looked for once more, in the same context"
    ),
    "agentops_otel/content/redaction.py word: \"i\" -> 'h'": ("the same: a name with that letter in it is no secret's"),
    "agentops_otel/content/named_values.py word: r\"(?i:bearer|basic|digest|token)[ \\t]+\" -> '(?i:bearer|basic|digest|token)[ \\\\t]*'": (
        "the same: white space follows a scheme; where none does, more is redacted"
    ),
    "agentops_otel/content/named_values.py constant: 600 -> 1200": (
        "the same up to 600 characters; beyond them more is redacted"
    ),
    "agentops_otel/content/named_values.py constant: 100 -> 200": ("the same: what is looked for is no longer"),
    "agentops_otel/content/named_values.py return: return KeyKind.PLAIN -> return None": (
        "the same: neither is the kind of a secret"
    ),
    "agentops_otel/content/named_values.py word: \"the pattern matches anything\" -> 'the pattern matches anythinf'": (
        "words for people"
    ),
    "agentops_otel/content/named_values.py word: \".-\" -> '.,'": (
        "the same, but that a value behind a name and a hyphen is redacted too"
    ),
    "agentops_otel/view/session_totals.py constant: 1_000 -> 2000": (
        "memory alone: calls are priced two thousand at a time"
    ),
    "agentops_otel/view/terminal_processor.py constant: False -> True": (
        "time alone: the thread that ends a trace then waits for the price list"
    ),
    "agentops_otel/view/session_totals.py constant: False -> True": (
        "time alone: the exporting thread then waits for the price list"
    ),
    "agentops_otel/clients/anthropic.py constant: 128 -> 256": (
        "time alone: twice as many parts are looked at, to say whose message it is"
    ),
    "agentops_otel/clients/dialects/raw_response.py constant: 1024 -> 2048": (
        "memory alone: two megabytes of a body that is read in pieces are kept"
    ),
    "agentops_otel/clients/dialects/server_sent_events.py constant: 1024 -> 2048": (
        "memory alone: two megabytes of an unfinished line are kept"
    ),
    "agentops_otel/clients/dialects/server_sent_events.py word: \"unfinished line\" -> 'unfinished lind'": (
        "the same: a key that no table reads"
    ),
    'agentops_otel/clients/google/interaction_steps.py row: {"type": "model_output", "content": [step]} -> {\'content\': [step]}': (
        "the same: contents of no step are told as the model's"
    ),
    "agentops_otel/content/fast_json.py constant: 24 -> 48": ("speed alone: which of two ways to the same JSON"),
    "agentops_otel/content/fast_json.py constant: 4096 -> 8192": ("memory alone: twice as many names are remembered"),
    "agentops_otel/content/fast_json.py comparison: kind is list -> (kind is not list)": (
        "speed alone: the other of two ways to the same JSON"
    ),
    "agentops_otel/content/span_redaction.py condition: isinstance(attributes, MappingProxyType) -> (not (isinstance(attributes, MappingProxyType)))": (
        "speed alone: the other of two ways to the same copy"
    ),
    "agentops_otel/content/json_writer.py constant: 160 -> 320": (
        "time alone: twice as much of a value's long texts is searched"
    ),
    "agentops_otel/content/json_writer.py constant: 4 -> 5": (
        "the other of two ways to the same JSON, and to where a long value is cut"
    ),
    "agentops_otel/content/json_writer.py constant: 8 -> 9": ("speed alone: how many items are written at a time"),
    "agentops_otel/taskweaver/posts.py constant: 1024 -> 2048": (
        "memory alone: twice as much of an attachment is kept until the content policy cuts it"
    ),
    "agentops_otel/taskweaver/posts.py constant: 64 -> 128": (
        "memory alone: twice as much of an attachment is kept until the content policy cuts it"
    ),
    "agentops_otel/content/embedded.py word: \"-_\" -> '-^'": (
        "the same: what is shifted by a letter that is left out is found from one of four beginnings"
    ),
    "agentops_otel/content/fast_json.py comparison: kinds <= _RECORDED_KINDS -> (kinds < _RECORDED_KINDS)": (
        "speed alone: the other of two ways to the same JSON"
    ),
    "agentops_otel/content/json_writer.py condition: count -> (not (count))": (
        "speed alone: items are written one by one"
    ),
    "agentops_otel/content/json_writer.py constant: 1 -> 2": (
        "a mapping or a list may end one item earlier: a comma is counted as two"
    ),
    "agentops_otel/content/media.py constant: 1024 -> 2048": ("speed alone: two kilobytes of each end are looked at"),
    "agentops_otel/content/snapshot.py constant: 16 -> 32": ("speed alone: a copy of a dict for a pickle of it"),
    "agentops_otel/content/span_redaction.py argument: self._attributes(event.attributes, own=own) -> self._attributes(event.attributes)": (
        "time alone: what has been redacted is searched again"
    ),
    "agentops_otel/content/text.py comparison: len(text) <= budget_bytes + margin -> (len(text) < budget_bytes + margin)": (
        "the other of two ways to shorten the same text"
    ),
    "agentops_otel/content/text.py comparison: len(value) <= _FEW -> (len(value) > _FEW)": (
        "speed alone: which short tuples are remembered"
    ),
    "agentops_otel/instrumentation/folding.py comparison: type(last) is dict -> (type(last) is not dict)": (
        "speed alone: the other of two ways to the same entry"
    ),
    "agentops_otel/instrumentation/steps.py operator: self._recorder.content.enabled and span is not INVALID_SPAN -> (self._recorder.content.enabled or span is not INVALID_SPAN)": (
        "time alone: content is read that is not set, nor is it on a span that records nothing"
    ),
    "agentops_otel/wrapping/stream.py comparison: name in vars(base) -> (name not in vars(base))": (
        "time alone: an abstract class is asked of each result"
    ),
    "agentops_otel/instrumentation/folding.py constant: 128 -> 256": (
        "memory alone: twice as much of a streamed text is kept, and no more of it is written"
    ),
    "agentops_otel/instrumentation/gen_ai.py comparison: len(sources) > _MANY -> (len(sources) >= _MANY)": (
        "time alone: a list of just so many messages is converted later"
    ),
    "agentops_otel/instrumentation/gen_ai.py constant: 128 -> 256": (
        "time alone: a list of two hundred messages is converted at once"
    ),
    "agentops_otel/metrics/span_metrics.py constant: 1_000 -> 2000": (
        "memory alone: more calls wait for the price list"
    ),
    "agentops_otel/metrics/span_metrics.py constant: 10_000 -> 20000": (
        "memory alone: more spans that have not ended are known"
    ),
    "agentops_otel/metrics/span_metrics.py word: \"inference\" -> 'inferencd'": ("the same: another key for the count"),
    "agentops_otel/tracing/tracer.py operator: parent is None or (type(parent) is Span and (parent._trace_flags is SA -> (parent is None and (type(parent) is Span and (parent._trace_flags is ": (
        "speed alone: the sampler is asked for each span"
    ),
    "agentops_otel/recording/decorated.py operator: inherited is None or type(inherited) is dict -> (inherited is None and type(inherited) is dict)": (
        "speed alone: what the spans of a function have in common is made anew"
    ),
    "agentops_otel/tracing/span.py operator: not values or values.keys().isdisjoint(attributes) -> (not values and values.keys().isdisjoint(attributes))": (
        "speed alone: the attributes are set one by one"
    ),
    "agentops_otel/recording/decorated.py constant: 100 -> 200": (
        "time alone: what makes up wrappers without end is given up later"
    ),
    "agentops_otel/recording/printed.py constant: 64 -> 128": (
        "memory alone: of twice as many traces is kept what was printed"
    ),
    "agentops_otel/recording/processes.py word: \"agentops_otel\" -> 'agentops_otem'": (
        "the same: what is under any name runs as it is unpickled"
    ),
    "agentops_otel/tracing/fork_wait.py constant: 0.25 -> 1.5": (
        "time alone: what the system does not remove is waited for longer"
    ),
    "agentops_otel/tracing/fork_wait.py comparison: time.monotonic() < deadline -> (time.monotonic() <= deadline)": (
        "the same: the clock goes on"
    ),
    "agentops_otel/wrapping/function.py argument: super().__new__(cls, *args, **kwargs) -> super().__new__(cls, *args)": (
        "the same: wrapt gives nothing by name"
    ),
    "agentops_otel/view/live/server.py constant: 32 -> 64": ("the same: a longer token"),
    "agentops_otel/view/live/store.py word: \"PRAGMA journal_mode = WAL\" -> 'PRAGMA journal_mode = WAM'": (
        "speed alone: a reader then waits for a writer"
    ),
    "agentops_otel/content/truncation.py constant: 16 -> 32": ("speed alone: twice as many elements at a time"),
    "agentops_otel/metrics/call_metrics.py word: \"Duration of an inference.\" -> 'Duration of an inference/'": (
        "words for people, in a table of names and bounds"
    ),
    "agentops_otel/view/live/facts.py constant: 0 -> 1": ("the same: every span has a start"),
    "agentops_otel/view/notebook.py word: \"opacity:.6\" -> 'opacity:.7'": ("looks alone: another shade"),
    "agentops_otel/view/printer.py comparison: (left_s := self._later[0] - time.monotonic()) > 0 -> ((left_s := (self._later[0] - time.monotonic())) >= 0)": (
        "the same: at that very moment it is waited for no time"
    ),
    "agentops_otel/view/printer.py constant: 200 -> 400": ("memory alone: four hundred traces wait for a terminal"),
    "agentops_otel/view/open_spans.py constant: 10_000 -> 20000": ("memory alone: twice as many names are remembered"),
    "agentops_otel/view/open_spans.py constant: 0.0 -> 1.0": ("the same: what is not open has no name"),
    "agentops_otel/view/cost.py constant: True -> False": (
        "time alone: the end of a program waits until the price list is imported"
    ),
    "agentops_otel/view/live/files.py constant: 2_000 -> 4000": (
        "memory alone: four thousand spans are kept at a time"
    ),
    "agentops_otel/view/live/briefs.py constant: 30_000 -> 60000": ("memory alone: sixty thousand spans are held"),
    "agentops_otel/view/live/otlp.py constant: 64 -> 128": ("memory alone: a body of 128 MB is taken"),
    "agentops_otel/view/live/otlp.py constant: 1024 -> 2048": ("memory alone: a body of 128 MB is taken"),
    "agentops_otel/view/live/loopback.py constant: 1 -> 2": ("the same: another length that no body has"),
    "agentops_otel/view/live/server.py constant: 0.05 -> 1.1": ("time alone: the servers end a second later"),
    "agentops_otel/view/live/server.py constant: True -> False": ("the same: `__exit__` ends the thread"),
    "agentops_otel/view/live/server.py argument: threading.Thread(target=server.serve_forever, args=(0.05,), daemon=Tru -> threading.Thread(target=server.serve_forever, daemon=True)": (
        "time alone: the servers end half a second later"
    ),
    "agentops_otel/view/live/server.py argument: threading.Thread(target=server.serve_forever, args=(0.05,), daemon=Tru -> threading.Thread(target=server.serve_forever, args=(0.05,))": (
        "the same: `__exit__` ends the thread"
    ),
    "agentops_otel/view/live/store.py constant: 4 -> 5": ("the same: what follows from the spans is made anew once"),
    "agentops_otel/view/live/store.py word: \"SELECT DISTINCT service FROM runs ORDER BY service LIMIT 500\" -> 'SELECT DISTINCT service FROM runs ORDER BY service LIMIT 501'": (
        "the same: one service more can be chosen"
    ),
    "agentops_otel/view/printer.py constant: 0.0 -> 1.0": ("the same: the clock has gone on for longer than that"),
    "agentops_otel/view/printer.py constant: 0.1 -> 1.2": (
        "time alone: a terminal that a program's own display uses is looked at again later"
    ),
    "agentops_otel/view/printer.py constant: 0.25 -> 1.5": (
        "time alone: a fork waits as long for a terminal that is not read"
    ),
    "agentops_otel/view/terminal_processor.py constant: 10_000 -> 20000": (
        "memory alone: twenty thousand printed spans are remembered"
    ),
    "agentops_otel/content/policy.py comparison: len(data) <= limit -> (len(data) < limit)": (
        "the same: a text that fits is not shortened"
    ),
    "agentops_otel/content/redaction.py return: return [] -> return None": (
        "the same: no names, of which there are none"
    ),
    "agentops_otel/content/span_redaction.py condition: len(text) <= SHORT_CHARACTERS -> (not (len(text) <= SHORT_CHARACTERS))": (
        "speed and memory alone: which texts are remembered"
    ),
    "agentops_otel/content/secret_names.py constant: 64 -> 128": ("speed alone: more of a long name is read"),
    "agentops_otel/view/cost.py row: { semconv.AWS_BEDROCK: \"aws\", semconv.AZURE_AI_INFERENCE: \"azure\", sem -> {semconv.AZURE_AI_INFERENCE: 'azure', semconv.AZURE_AI_OPENAI: 'azure'": (
        "the same, where the price list of today knows the conventions' name too"
    ),
    "agentops_otel/view/cost.py row: { semconv.AWS_BEDROCK: \"aws\", semconv.AZURE_AI_INFERENCE: \"azure\", sem -> {semconv.AWS_BEDROCK: 'aws', semconv.AZURE_AI_INFERENCE: 'azure', semc": (
        "the same, where the price list of today knows the conventions' name too"
    ),
    'agentops_otel/view/live/saved.py word: """\\ <!doctype html> <html lang="en"> <head> <meta charset="utf-8"> <m -> \'<!doctype html>\\n<html lang="en">\\n<head>\\n<meta charset="utf-8">\\n<m': (
        "the same: another white space at the end of the page"
    ),
    "agentops_otel/cli.py statement: store.close() -> pass": (
        "the same: the process ends, and what the database has in its log is read at the next start"
    ),
    "agentops_otel/client.py constant: 0 -> 1": (
        "the same: calls are priced by it, and what it returns is not looked at"
    ),
    "agentops_otel/view/live/loopback.py constant: 32 -> 64": ("memory alone: a body of 64 MB is taken"),
    "agentops_otel/view/live/loopback.py constant: 64 -> 128": (
        "memory alone: twice as many connections are open, and the line before a chunk is twice as long"
    ),
    "agentops_otel/view/live/loopback.py constant: 60.0 -> 121.0": (
        "time alone: a connection on which nothing comes is closed later"
    ),
    "agentops_otel/view/terminal.py constant: 0 -> 1": ("the same: into no room nothing is written"),
    "agentops_otel/view/terminal_processor.py constant: 2_000 -> 4000": ("memory alone: four thousand spans wait"),
    "agentops_otel/view/live/facts.py word: \"\\n\" -> '\\x0b'": ("the same: another white space between the texts"),
    "agentops_otel/view/live/wanted.py constant: 1 -> 2": ("the same: nothing is found by two words of signs alone"),
    "agentops_otel/view/cost.py argument: threading.Thread(target=_load, name=\"agentops_otel prices\", daemon=Tru -> threading.Thread(target=_load, name='agentops_otel prices')": (
        "time alone: the end of a program waits until the price list is imported"
    ),
    "agentops_otel/view/live/saved.py word: \"<the data>\" -> '<the data?'": ("the same: another sign for the place"),
    "agentops_otel/view/live/saved.py word: \"const modules = {};\\n\" -> 'const modules = {};\\x0b'": (
        "the same: another white space"
    ),
    "agentops_otel/view/lines.py constant: 1 -> 2": ("the same: a line has one span, or four and more"),
    "agentops_otel/view/selection.py constant: 20_000 -> 40000": ("memory alone: forty thousand spans are held"),
    "agentops_otel/view/selection.py constant: 0 -> 1": ("the same: no moment that is asked for is so early"),
    "agentops_otel/view/terminal.py comparison: left < 0 -> (left <= 0)": ("the same: into no room nothing is written"),
    "agentops_otel/view/live/store.py constant: 2000 -> 4000": ("memory alone: an answer may have four thousand runs"),
}


def without_line(place: str) -> str:
    """The place as it is while lines are added above it."""
    return re.sub(r"^([^:]+):\d+", r"\1", place)
