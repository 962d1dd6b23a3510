# ruff: noqa: E501  # the places stand as they are printed
"""Faults that no test has to notice, each with its reason: the program does the same, or it costs time or memory alone.

Each stands as `make mutants` shows it, without the number of its line, whose text tells it from others. A draw counts them apart.
"""

import re

ACCEPTED = {
    "agentops_otel/export/pipeline.py comparison: len(self._queue) >= 2 * self._limit -> (len(self._queue) > 2 * self._limit) | must = self._durable or >>len(self._queue) >= 2 * self._limit<<": (
        "speed alone: the program's other threads help one span later"
    ),
    "agentops_otel/content/json_writer.py operands: value - value -> (value - value) | return orjson.dumps(value) if >>value - value<< == 0.0 else self._word(str(value), budget_bytes)": (
        "the same: both sides are one value"
    ),
    "agentops_otel/content/truncation.py constant: 512 -> 1024 | _ANY = Shape(gap=_as_itself, least=>>512<<)": (
        "how short an item of a list that is cut may become: the list as a whole is as long"
    ),
    "agentops_otel/content/truncation.py constant: 512 -> 1024 | _DEFINITIONS = Shape(gap=_as_definition, least=>>512<<)": (
        "how short an item of a list that is cut may become: the list as a whole is as long"
    ),
    "agentops_otel/export/pipeline.py statement: self._let_gather(self._limit) -> pass | >>self._let_gather(self._limit)<<": (
        "speed alone: the program's threads signal once more before the queue is full"
    ),
    'agentops_otel/tracing/context.py word: "agentops_otel" -> \'agentops_otem\' | SUPPRESSED_BY_US = >>"agentops_otel"<<': (
        "the same: it is compared with itself, and for others it is any true value"
    ),
    "agentops_otel/tracing/context.py statement: get_current() -> pass | >>get_current()<<  # the SDK chooses it on first use in older versions": (
        "the same with the OpenTelemetry that is locked: it has chosen before"
    ),
    "agentops_otel/recording/decorated.py operator: recorder.content.enabled and span.is_recording() -> (recorder.content.enabled or span.is_recording()) | if >>recorder.content.enabled and span.is_recording()<<:": (
        "time alone: arguments are named, and the recorder records none of them"
    ),
    "agentops_otel/recording/decorated.py operator: self._parameters or self.names() -> (self._parameters and self.names()) | names = >>self._parameters or self.names()<<": (
        "the same: the names are read at the first use, whichever it is"
    ),
    "agentops_otel/recording/decorated.py operator: self._parameters or self.names() -> (self._parameters and self.names()) | given = (>>self._parameters or self.names()<<).of(instance is not None, args, kwargs)": (
        "the same: the names are read at the first use, whichever it is"
    ),
    "agentops_otel/recording/parameters.py constant: 0 -> 1 | expected: int = >>0<<": (
        "time alone: a function without a signature takes the longer way, and its call fits no count of arguments"
    ),
    "agentops_otel/recording/parameters.py constant: 0 -> 1 | required: int = >>0<<": (
        "time alone: a function without a signature takes the longer way, and its call fits no count of arguments"
    ),
    'agentops_otel/config.py word: "api_key" -> \'api_kex\' | _SENT = (>>"api_key"<<, "endpoint", "headers", "protocol", "capture_content")': (
        "the same: the key is checked once more"
    ),
    'agentops_otel/config.py word: "capture_content" -> \'capture_contenu\' | _SENT = ("api_key", "endpoint", "headers", "protocol", >>"capture_content"<<)': (
        "the same: it is read once more"
    ),
    'agentops_otel/config.py word: "endpoint" -> \'endpoinu\' | _SENT = ("api_key", >>"endpoint"<<, "headers", "protocol", "capture_content")': (
        "the same: it is read once more"
    ),
    'agentops_otel/config.py word: "headers" -> \'headerr\' | _SENT = ("api_key", "endpoint", >>"headers"<<, "protocol", "capture_content")': (
        "the same: it is read once more"
    ),
    "agentops_otel/cli.py statement: time.sleep(file.FOLLOW_S) -> pass | >>time.sleep(file.FOLLOW_S)<<": (
        "time alone: files are looked at without a pause"
    ),
    "agentops_otel/client.py constant: 1.0 -> 3.0 | self.pipeline.drain(>>1.0<<)": (
        "time alone: who asks for totals waits longer for the exporting thread"
    ),
    'agentops_otel/settings.py word: "console" -> \'consold\' | _METRICS_EXPORTERS = ("otlp", "none", >>"console"<<, "prometheus")': (
        "the same: OpenTelemetry's SDK installs an exporter of that name"
    ),
    'agentops_otel/sdk/installations.py word: "taskweaver" -> \'taskweaves\' | _TASKWEAVER = {"taskweaver": >>"taskweaver"<<}': (
        "the same: the file's name is not asked for, since there is one"
    ),
    "agentops_otel/content/json_writer.py comparison: self._remaining_bytes >= self._least_bytes -> (self._remaining_bytes > self._least_bytes) | while self._first < self._end and >>self._remaining_bytes >= self._least_bytes<<:": (
        "a list may end one item earlier where its share of the bytes is used up exactly"
    ),
    "agentops_otel/content/json_writer.py constant: 2 -> 3 | key = self.json(name, budget_bytes // >>2<<)": (
        "a key that is cut may take a third of the bytes in place of half"
    ),
    "agentops_otel/content/json_writer.py constant: 2 -> 3 | key = key if key.startswith(b'\"') else truncate(key.decode(), budget_bytes // >>2<<, json_string)": (
        "a key that is cut may take a third of the bytes in place of half"
    ),
    'agentops_otel/destinations.py word: "endpoint" -> \'endpoinu\' | return _destination(endpoint or Setting(>>"endpoint"<<, hosted), own, agentops=owner)': (
        "the same: the name is for what is refused, and this endpoint is right"
    ),
    'agentops_otel/destinations.py word: "endpoint" -> \'endpoinu\' | endpoint = Setting(>>"endpoint"<<, local)': (
        "the same: the name is for what is refused, and this endpoint is right"
    ),
    'agentops_otel/destinations.py word: "endpoint" -> \'endpoinu\' | return _destination(Setting(>>"endpoint"<<, LOCAL_COLLECTOR), arguments, probe=True)': (
        "the same: the name is for what is refused, and this endpoint is right"
    ),
    'agentops_otel/destinations.py word: "endpoint" -> \'endpoinu\' | local = _destination(Setting(>>"endpoint"<<, LOCAL_COLLECTOR), arguments, probe=True, signal="metrics")': (
        "the same: the name is for what is refused, and this endpoint is right"
    ),
    'agentops_otel/destinations.py word: "endpoint" -> \'endpoinu\' | Setting(>>"endpoint"<<, at.endpoint), {**arguments, "protocol": at.protocol}, probe=at.probe, signal="metrics"': (
        "the same: the name is for what is refused, and this endpoint is right"
    ),
    'agentops_otel/clients/mistralai/conversations.py word: "message.output" -> \'message.outpuu\' | parts: list[dict[str, Any]] = _entry(response, data, >>"message.output"<<).setdefault("content", [])': (
        "the same: a message is told from a call, whatever it is called"
    ),
    "agentops_otel/export/meters.py statement: self.durable = False -> pass | >>self.durable = False<<": (
        "the same: it is set with the senders, and read for one of them"
    ),
    'agentops_otel/destinations.py word: "protocol" -> \'protocom\' | protocol = environment.first(arguments.get("protocol"), >>"protocol"<<, *_otlp("PROTOCOL"))': (
        "the same: an argument is refused before, and no message names it here"
    ),
    'agentops_otel/destinations.py word: "protocol" -> \'protocom\' | protocol, >>"protocol"<<, *(() if endpoint.text == AGENTOPS_EXPORTER else _otlp("PROTOCOL", signal))': (
        "the same: an argument is refused before, and no message names it here"
    ),
    'agentops_otel/destinations.py word: "timeout" -> \'timeouu\' | timeout_s=environment.seconds(environment.first(None, "", *otlp("TIMEOUT")) or Setting(>>"timeout"<<, "10")),': (
        "the same: the default is right"
    ),
    'agentops_otel/environment.py word: "headers" -> \'headerr\' | setting = first(argument, "headers", *variables) or Setting(>>"headers"<<, "")': (
        "the same: no headers are right"
    ),
    "agentops_otel/export/encode.py condition: isinstance(attributes, MappingProxyType) -> (not (isinstance(attributes, MappingProxyType))) | for item in (attributes.copy() if >>isinstance(attributes, MappingProxyType)<< else attributes).items():": (
        "speed alone: the SDK's mapping is walked itself"
    ),
    "agentops_otel/export/pipeline.py constant: 2000 -> 4000 | _SPAN_BYTES = >>2000<<": (
        "speed alone: the program helps sooner to encode"
    ),
    "agentops_otel/content/named_values.py constant: 19 -> 38 | _WORD_CHARACTERS = >>19<<": (
        "the same: what is looked for is no longer"
    ),
    'agentops_otel/doctor.py word: "cannot be reached" -> \'cannot be reachee\' | reason = f"answered {reply.status}" if reply.status else >>"cannot be reached"<<': (
        "words for people"
    ),
    "agentops_otel/export/sender.py constant: 10 -> 20 | limit = min(BACKOFF_LIMIT_S, BACKOFF_S * 2 ** min(self._failures - 1, >>10<<))": (
        "the same: five seconds are reached before"
    ),
    "agentops_otel/export/encode.py constant: 4096 -> 8192 | _CACHED = >>4096<<": (
        "memory alone: twice as many names, values and resources are remembered"
    ),
    "agentops_otel/export/process_exit.py constant: 13 -> 26 | if sys.version_info >= (3, >>13<<):  # which calls the handlers of atexit in a child, before its finalizers": (
        "noticed on Python 3.13, whose children of multiprocessing call the handlers of atexit"
    ),
    "agentops_otel/export/process_exit.py constant: 3 -> 4 | if sys.version_info >= (>>3<<, 13):  # which calls the handlers of atexit in a child, before its finalizers": (
        "noticed on Python 3.13, whose children of multiprocessing call the handlers of atexit"
    ),
    "agentops_otel/export/user_processors.py statement: caller.stand_ready() -> pass | >>caller.stand_ready()<<": (
        "noticed on Python 3.12, which starts no thread at the end of a program"
    ),
    "agentops_otel/export/user_processors.py statement: self._thread.start() -> pass | >>self._thread.start()<<": (
        "noticed on Python 3.12, which starts no thread at the end of a program"
    ),
    "agentops_otel/export/viewers.py constant: 2.0 -> 5.0 | _TIMEOUT_S = >>2.0<<": (
        "time alone: a viewer that does not answer is given up later"
    ),
    "agentops_otel/export/grpc.py statement: self._socket.settimeout(remaining_s(deadline)) -> pass | >>self._socket.settimeout(remaining_s(deadline))<<": (
        "time alone: what is flushed before is 64 kB at most, which the socket takes at once"
    ),
    "agentops_otel/export/http1.py constant: 1024 -> 2048 | _LIMIT_BYTES = >>1024<< * 1024": (
        "memory alone: an answer of two megabytes is read where one was"
    ),
    "agentops_otel/export/http1.py constant: 1024 -> 2048 | _LIMIT_BYTES = 1024 * >>1024<<": (
        "memory alone: an answer of two megabytes is read where one was"
    ),
    "agentops_otel/export/http1.py constant: 1024 -> 2048 | _READ_BYTES = 64 * >>1024<<": (
        "memory alone: an answer of two megabytes is read where one was"
    ),
    "agentops_otel/export/pipeline.py statement: self._hurry = True -> pass | >>self._hurry = True<<": (
        "time alone: a flush just before the worker lets spans gather may wait for that tenth of a second"
    ),
    "agentops_otel/export/pipeline.py statement: time.sleep(0) -> pass | >>time.sleep(0)<<  # The app's threads go first.": (
        "speed alone: the worker gives the interpreter away sooner than it has to"
    ),
    "agentops_otel/export/sender.py constant: 1 -> 2 | if entry.spans > >>1<< and len(entry.body) > self._limit_bytes:": (
        "time alone: a request of two spans is refused once more before it is split"
    ),
    'agentops_otel/export/sender.py word: "partial" -> \'partiam\' | self._say(>>"partial"<<, "%s took all but %d %s: %s", self.name, answer.rejected, self._cargo, answer.message)': (
        "the same: another key for the same line"
    ),
    "agentops_otel/export/outbox.py comparison: most_bytes > 0 -> (most_bytes >= 0) | while takes and self._waiting and >>most_bytes > 0<<:": (
        "one request more is written where those before it have just so many bytes: it is about as many"
    ),
    "agentops_otel/export/threads.py comparison: sys.version_info < (3, 13) -> (sys.version_info <= (3, 13)) | STARTS_AT_FORK = >>sys.version_info < (3, 13)<<": (
        "the same: the version of a Python has more numbers than two"
    ),
    "agentops_otel/content/secret_shapes.py argument: groupby(parts, key=itemgetter(0)) -> groupby(parts) | groups = [list(group) for _, group in >>groupby(parts, key=itemgetter(0))<<]": (
        "speed alone: the letters before a sign are tried one by one"
    ),
    'agentops_otel/cli.py word: "request" -> \'requesu\' | what = plural(sent[shown], "span" if shown in spans else >>"request"<<)': (
        "words for people"
    ),
    "agentops_otel/export/connect.py constant: 64 -> 128 | _READ_BYTES = >>64<< * 1024": (
        "the same: more is read at a time"
    ),
    "agentops_otel/export/connect.py constant: 1024 -> 2048 | _READ_BYTES = 64 * >>1024<<": (
        "the same: more is read at a time"
    ),
    "agentops_otel/export/grpc.py constant: 64 -> 128 | _READ_BYTES = >>64<< * 1024": (
        "the same: more is read at a time"
    ),
    "agentops_otel/export/http1.py constant: 64 -> 128 | _READ_BYTES = >>64<< * 1024": (
        "memory alone: more is read at a time, and longer headers of an answer"
    ),
    "agentops_otel/export/http.py constant: 64 -> 128 | _LIMIT_BYTES = >>64<< * 1024 * 1024": (
        "the same: no request comes to that many bytes"
    ),
    "agentops_otel/export/http.py constant: 1024 -> 2048 | _LIMIT_BYTES = 64 * >>1024<< * 1024": (
        "the same: no request comes to that many bytes"
    ),
    "agentops_otel/export/http.py constant: 1024 -> 2048 | _LIMIT_BYTES = 64 * 1024 * >>1024<<": (
        "the same: no request comes to that many bytes"
    ),
    "agentops_otel/export/agentops.py constant: 5.0 -> 11.0 | TIMEOUT_S = >>5.0<<": (
        "time alone: AgentOps that does not answer is given up later"
    ),
    "agentops_otel/export/agentops_api.py constant: 5.0 -> 11.0 | _ANSWER_S = >>5.0<<": (
        "time alone: AgentOps that does not answer is given up later"
    ),
    "agentops_otel/export/file.py constant: 0.2 -> 1.4 | FOLLOW_S = >>0.2<<": (
        "time alone: what is written is followed a second later"
    ),
    "agentops_otel/export/meters.py constant: 30.0 -> 61.0 | COLLECT_S = >>30.0<<": (
        "time alone: a callback of the program is waited for longer"
    ),
    "agentops_otel/export/outbox.py constant: 3600.0 -> 7201.0 | LONGEST_WAIT_S = >>3600.0<<": (
        "the same: it is waited again"
    ),
    "agentops_otel/export/outbox.py statement: time.sleep(0) -> pass | >>time.sleep(0)<<  # The app's threads go first.": (
        "speed alone: the program has the interpreter a moment later"
    ),
    "agentops_otel/export/spool.py constant: 1024 -> 2048 | SEGMENT_BYTES = 8 * >>1024<< * 1024": (
        "a file of the spool is closed at sixteen megabytes: the bound of all of them is held by a test"
    ),
    "agentops_otel/export/spool.py constant: 1024 -> 2048 | SEGMENT_BYTES = 8 * 1024 * >>1024<<": (
        "a file of the spool is closed at sixteen megabytes: the bound of all of them is held by a test"
    ),
    "agentops_otel/export/spool.py constant: 1 -> 2 | segment.waiting = sum(>>1<< for _ in _heads(segment))": (
        "the same: records of an ended process are counted anew when its file has been read to its end"
    ),
    "agentops_otel/export/spool.py comparison: segment.own is self._turn -> (segment.own is not self._turn) | for segment in sorted(self._segments, key=lambda segment: >>segment.own is self._turn<<):": (
        "the same: own spans and those of ended processes take turns, and the others begin"
    ),
    "agentops_otel/content/redaction.py statement: clean.keep(new) -> pass | >>clean.keep(new)<<": (
        "speed alone: texts that come again are searched again"
    ),
    "agentops_otel/tracing/span.py operator: (kind is str and tracer.text_limit is None) or kind in _PLAIN -> ((kind is str and tracer.text_limit is None) and kind in _PLAIN) | if type(key) is not str or not key or not (>>(kind is str and tracer.text_limit is None) or kind in _PLAIN<<):": (
        "speed alone: each value goes the way of the strange ones"
    ),
    "agentops_otel/content/text.py return: return ( type(value) is tuple and len(value) <= _FEW and _TEXTS.issupe -> return None | >>return (<<": (
        "speed alone: what is not known to be short is looked at again with each span"
    ),
    "agentops_otel/frameworks/openai_agents.py return: return result -> return None | >>return result<<": (
        "the same: these methods of the package return nothing"
    ),
    "agentops_otel/frameworks/openai_agents.py return: return wrapped(*args, **kwargs) -> return None | >>return wrapped(*args, **kwargs)<<": (
        "the same: these methods of the package return nothing"
    ),
    "agentops_otel/instrumentation/gen_ai.py constant: 8 -> 9 | _FEW = >>8<<": (
        "speed alone: a conversation of nine messages is read at once"
    ),
    'agentops_otel/instrumentation/gen_ai.py constant: 0 -> 1 | return max(len(data) - begins, >>0<<) * 3 // 4 - data[max(begins, len(data) - 2) :].count("=")': (
        "the same: three quarters of one byte are none"
    ),
    'agentops_otel/metrics/call_metrics.py word: "Time to the first chunk." -> \'Time to the first chunk/\' | self._first_chunk = self._seconds(semconv.METRIC_INFERENCE_FIRST_CHUNK, >>"Time to the first chunk."<<)': (
        "words for people, in a table of names and bounds"
    ),
    'agentops_otel/metrics/call_metrics.py word: "Time to the first chunk." -> \'Time to the first chunk/\' | self._first_chunk = self._seconds(semconv.METRIC_OPERATION_FIRST_CHUNK, >>"Time to the first chunk."<<)': (
        "words for people, in a table of names and bounds"
    ),
    "agentops_otel/recording/decorated.py statement: self._form = (form, defaults, inherited) -> pass | >>self._form = (form, defaults, inherited)<<": (
        "speed alone: what the spans of a function have in common is made anew"
    ),
    "agentops_otel/recording/decorated.py constant: 0 -> 1 | return >>0<<, direct": (
        "the same: that flag says nothing of how it is called"
    ),
    "agentops_otel/tracing/recorder.py argument: field( default_factory=WeakKeyDictionary, compare=False, repr=False ) -> field(default_factory=WeakKeyDictionary, repr=False) | open_streams: WeakKeyDictionary[OpenStream, int] = >>field(<<": (
        "the same: no two recorders are compared or printed"
    ),
    "agentops_otel/tracing/recorder.py argument: field( default_factory=WeakKeyDictionary, compare=False, repr=False ) -> field(default_factory=WeakKeyDictionary, compare=False) | open_streams: WeakKeyDictionary[OpenStream, int] = >>field(<<": (
        "the same: no two recorders are compared or printed"
    ),
    "agentops_otel/tracing/recorder.py constant: False -> True | default_factory=WeakKeyDictionary, compare=>>False<<, repr=False": (
        "the same: no two recorders are compared or printed"
    ),
    "agentops_otel/tracing/recorder.py constant: False -> True | default_factory=WeakKeyDictionary, compare=False, repr=>>False<<": (
        "the same: no two recorders are compared or printed"
    ),
    'agentops_otel/tracing/recorder.py word: "tracer" -> \'traces\' | if getattr(current.get(SPAN_KEY), >>"tracer"<<, None) is not tracer:  # so it is not below spans of ours': (
        "time alone: a span of ours is then asked whether it begins a trace of its own, and says no"
    ),
    "agentops_otel/taskweaver/hooks.py constant: 0 -> 1 | def ignore(session_id: str, rounds: int = >>0<<, duration_ns: int = 0) -> None:": (
        "the same: it is the default of what does nothing"
    ),
    "agentops_otel/taskweaver/hooks.py constant: 0 -> 1 | def ignore(session_id: str, rounds: int = 0, duration_ns: int = >>0<<) -> None:": (
        "the same: it is the default of what does nothing"
    ),
    "agentops_otel/tracing/context.py condition: variable is None -> (not (variable is None)) | current_context: Callable[[], Context] = get_current if >>variable is None<< else variable.get": (
        "speed alone: the calls between `get_current` and its variable are made"
    ),
    "agentops_otel/tracing/context.py condition: variable is None -> (not (variable is None)) | attach_context: Callable[[Context], Token[Context]] = attach if >>variable is None<< else variable.set": (
        "speed alone: the calls between `get_current` and its variable are made"
    ),
    "agentops_otel/tracing/context.py condition: variable is None -> (not (variable is None)) | detach_context: Callable[[Token[Context]], None] = detach if >>variable is None<< else variable.reset": (
        "speed alone: the calls between `get_current` and its variable are made"
    ),
    "agentops_otel/tracing/fork_wait.py constant: 0.0002 -> 1.0004 | _POLL_S = >>0.0002<<": (
        "time alone: the system removes a thread's entry within microseconds of its end"
    ),
    "agentops_otel/tracing/processors.py operator: hasattr(processor, method) and not _is_base_method(getattr(processor,  -> (hasattr(processor, method) or not _is_base_method(getattr(processor,  | if >>hasattr(processor, method) and not _is_base_method(getattr(processor, method), method)<<": (
        "speed alone: methods that do nothing are called"
    ),
    "agentops_otel/tracing/recorder.py constant: 0 -> 1 | return >>0<<": ("the same: one byte of a span's bound"),
    "agentops_otel/tracing/span.py comparison: len(values) + len(attributes) <= tracer.attribute_limit -> (len(values) + len(attributes) < tracer.attribute_limit) | and >>len(values) + len(attributes) <= tracer.attribute_limit<<": (
        "speed alone: the attributes that fill a span are set one by one"
    ),
    'agentops_otel/tracing/exceptions.py constant: True -> False | return "".join(TracebackException(type(error), error, error.__traceback__, limit=-FRAMES, compact=>>True<<).format())': (
        "memory alone: what Python leaves out is not printed either"
    ),
    "agentops_otel/view/live/store.py constant: 50 -> 100 | _PART_SPANS = >>50<<": (
        "memory alone: a hundred spans are read at a time"
    ),
    'agentops_otel/view/live/store.py statement: self._database.execute("PRAGMA journal_mode = WAL") -> pass | >>self._database.execute("PRAGMA journal_mode = WAL")<<': (
        "speed alone: a reader then waits for a writer"
    ),
    "agentops_otel/view/live/server.py constant: 25.0 -> 51.0 | _WAIT_S = >>25.0<<": (
        "time alone: a page that waits is answered, that nothing has happened, after as long"
    ),
    'agentops_otel/tracing/context.py word: "agentops_otel_entered" -> \'agentops_otel_enteree\' | _entered: ContextVar[None] = ContextVar(>>"agentops_otel_entered"<<)': (
        "the same: a name that nobody asks for"
    ),
    "agentops_otel/tracing/gc_safe.py constant: 10.0 -> 21.0 | def drain(timeout_s: float = >>10.0<<) -> float:": (
        "time alone: whoever flushes says how long"
    ),
    "agentops_otel/tracing/fork_wait.py statement: time.sleep(_POLL_S) -> pass | >>time.sleep(_POLL_S)<<": (
        "speed alone: what is waited for is looked at without a pause"
    ),
    "agentops_otel/content/fast_json.py operator: kind not in _ATOMS and not (kind is float and isfinite(item)) -> (kind not in _ATOMS or not (kind is float and isfinite(item))) | elif >>kind not in _ATOMS and not (kind is float and isfinite(item))<<:": (
        "speed alone: the other of two ways to the same JSON"
    ),
    "agentops_otel/recording/session.py condition: current -> (not (current)) | session: Any = current.get(_SESSION) if >>current<< else None": (
        "speed alone: the session is looked for once more, in the same context"
    ),
    'agentops_otel/content/redaction.py word: "i" -> \'h\' | lower = text.replace("\\u0130", >>"i"<<).lower()': (
        "the same: a name with that letter in it is no secret's"
    ),
    'agentops_otel/content/named_values.py word: r"(?i:bearer|basic|digest|token)[ \\t]+" -> \'(?i:bearer|basic|digest|token)[ \\\\t]*\' | _SCHEME = >>r"(?i:bearer|basic|digest|token)[ \\t]+"<<': (
        "the same: white space follows a scheme; where none does, more is redacted"
    ),
    "agentops_otel/content/named_values.py constant: 600 -> 1200 | _LOOK_BACK_CHARACTERS = >>600<<": (
        "the same up to 600 characters; beyond them more is redacted"
    ),
    "agentops_otel/content/named_values.py constant: 100 -> 200 | _COMMAND_CHARACTERS = >>100<<": (
        "the same: what is looked for is no longer"
    ),
    "agentops_otel/content/named_values.py return: return KeyKind.PLAIN -> return None | >>return KeyKind.PLAIN<<": (
        "the same: neither is the kind of a secret"
    ),
    'agentops_otel/content/named_values.py word: "the pattern matches anything" -> \'the pattern matches anythinf\' | assert word is not None, >>"the pattern matches anything"<<': (
        "words for people"
    ),
    'agentops_otel/content/named_values.py word: ".-" -> \'.,\' | name = word[1].rstrip(>>".-"<<)': (
        "the same, but that a value behind a name and a hyphen is redacted too"
    ),
    "agentops_otel/view/session_totals.py constant: 1_000 -> 2000 | PRICED_TOGETHER = >>1_000<<": (
        "memory alone: calls are priced two thousand at a time"
    ),
    "agentops_otel/view/terminal_processor.py constant: False -> True | total = summarize([tree], wait=>>False<<)": (
        "time alone: the thread that ends a trace then waits for the price list"
    ),
    "agentops_otel/view/session_totals.py constant: False -> True | usd = cost.price(dict(call), wait=>>False<<)": (
        "time alone: the exporting thread then waits for the price list"
    ),
    "agentops_otel/clients/anthropic.py constant: 128 -> 256 | _FIRST = >>128<<": (
        "time alone: twice as many parts are looked at, to say whose message it is"
    ),
    "agentops_otel/clients/dialects/raw_response.py constant: 1024 -> 2048 | BODY_LIMIT_BYTES = >>1024<< * 1024": (
        "memory alone: two megabytes of a body that is read in pieces are kept"
    ),
    "agentops_otel/clients/dialects/raw_response.py constant: 1024 -> 2048 | BODY_LIMIT_BYTES = 1024 * >>1024<<": (
        "memory alone: two megabytes of a body that is read in pieces are kept"
    ),
    "agentops_otel/clients/dialects/server_sent_events.py constant: 1024 -> 2048 | LINE_LIMIT_BYTES = >>1024<< * 1024": (
        "memory alone: two megabytes of an unfinished line are kept"
    ),
    "agentops_otel/clients/dialects/server_sent_events.py constant: 1024 -> 2048 | LINE_LIMIT_BYTES = 1024 * >>1024<<": (
        "memory alone: two megabytes of an unfinished line are kept"
    ),
    'agentops_otel/clients/dialects/server_sent_events.py word: "unfinished line" -> \'unfinished lind\' | _UNFINISHED = >>"unfinished line"<<': (
        "the same: a key that no table reads"
    ),
    "agentops_otel/content/fast_json.py constant: 24 -> 48 | _FEW_ITEMS = >>24<<": (
        "speed alone: which of two ways to the same JSON"
    ),
    "agentops_otel/content/fast_json.py constant: 4096 -> 8192 | _CACHED_NAMES = >>4096<<": (
        "memory alone: twice as many names are remembered"
    ),
    "agentops_otel/content/fast_json.py comparison: kind is list -> (kind is not list) | elif kind is dict or >>kind is list<<:": (
        "speed alone: the other of two ways to the same JSON"
    ),
    "agentops_otel/content/span_redaction.py condition: isinstance(attributes, MappingProxyType) -> (not (isinstance(attributes, MappingProxyType))) | plain = attributes.copy() if >>isinstance(attributes, MappingProxyType)<< else dict(attributes)": (
        "speed alone: the other of two ways to the same copy"
    ),
    "agentops_otel/content/json_writer.py constant: 160 -> 320 | _MAX_SEARCHED_CHARACTERS = >>160<< * 1024": (
        "time alone: twice as much of a value's long texts is searched"
    ),
    "agentops_otel/content/json_writer.py constant: 4 -> 5 | _MIN_PLAIN_BYTES = >>4<< * MIN_BYTES": (
        "the other of two ways to the same JSON, and to where a long value is cut"
    ),
    "agentops_otel/content/json_writer.py constant: 4 -> 5 | limit = self._remaining_bytes // >>4<<": (
        "the other of two ways to the same JSON, and to where a long value is cut"
    ),
    "agentops_otel/content/json_writer.py constant: 8 -> 9 | _GROUP = >>8<<": (
        "speed alone: how many items are written at a time"
    ),
    "agentops_otel/taskweaver/posts.py constant: 1024 -> 2048 | KEPT_CHARACTERS = 64 * >>1024<<": (
        "memory alone: twice as much of an attachment is kept until the content policy cuts it"
    ),
    "agentops_otel/taskweaver/posts.py constant: 64 -> 128 | KEPT_CHARACTERS = >>64<< * 1024": (
        "memory alone: twice as much of an attachment is kept until the content policy cuts it"
    ),
    'agentops_otel/content/embedded.py word: "-_" -> \'-^\' | _URL_SAFE = str.maketrans(>>"-_"<<, "+/")': (
        "the same: what is shifted by a letter that is left out is found from one of four beginnings"
    ),
    "agentops_otel/content/fast_json.py comparison: kinds <= _RECORDED_KINDS -> (kinds < _RECORDED_KINDS) | return >>kinds <= _RECORDED_KINDS<<": (
        "speed alone: the other of two ways to the same JSON"
    ),
    "agentops_otel/content/json_writer.py condition: count -> (not (count)) | while >>count<<:": (
        "speed alone: items are written one by one"
    ),
    "agentops_otel/content/json_writer.py constant: 1 -> 2 | remaining_bytes -= max(len(pair) + >>1<<, _MIN_NODE_BYTES)": (
        "a mapping or a list may end one item earlier: a comma is counted as two"
    ),
    'agentops_otel/content/json_writer.py constant: 1 -> 2 | return b"%b:%b" % (key, self.json(value, budget_bytes - len(key) - >>1<<, key_kind))': (
        "a mapping or a list may end one item earlier: a comma is counted as two"
    ),
    "agentops_otel/content/json_writer.py constant: 1 -> 2 | self._remaining_bytes -= max(len(side[-1]) + >>1<<, _MIN_NODE_BYTES)": (
        "a mapping or a list may end one item earlier: a comma is counted as two"
    ),
    "agentops_otel/content/media.py constant: 1024 -> 2048 | _END_CHARACTERS = >>1024<<": (
        "speed alone: two kilobytes of each end are looked at"
    ),
    "agentops_otel/content/snapshot.py constant: 16 -> 32 | _FEW = >>16<<": (
        "speed alone: a copy of a dict for a pickle of it"
    ),
    "agentops_otel/content/span_redaction.py argument: self._attributes(event.attributes, own=own) -> self._attributes(event.attributes) | name, attributes = _text(event.name), >>self._attributes(event.attributes, own=own)<<": (
        "time alone: what has been redacted is searched again"
    ),
    "agentops_otel/content/text.py comparison: len(text) <= budget_bytes + margin -> (len(text) < budget_bytes + margin) | if >>len(text) <= budget_bytes + margin<<:": (
        "the other of two ways to shorten the same text"
    ),
    "agentops_otel/content/text.py comparison: len(value) <= _FEW -> (len(value) > _FEW) | and >>len(value) <= _FEW<<": (
        "speed alone: which short tuples are remembered"
    ),
    'agentops_otel/instrumentation/folding.py comparison: type(last) is dict -> (type(last) is not dict) | if >>type(last) is dict<< and last["index"] == index:': (
        "speed alone: the other of two ways to the same entry"
    ),
    "agentops_otel/instrumentation/steps.py operator: self._recorder.content.enabled and span is not INVALID_SPAN -> (self._recorder.content.enabled or span is not INVALID_SPAN) | if >>self._recorder.content.enabled and span is not INVALID_SPAN<<:": (
        "time alone: content is read, and the recorder records none of it"
    ),
    "agentops_otel/wrapping/stream.py comparison: name in vars(base) -> (name not in vars(base)) | return issubclass(kind, Coroutine) or any(>>name in vars(base)<< for base in kind.__mro__[:-1] for name in changed)": (
        "time alone: an abstract class is asked of each result"
    ),
    "agentops_otel/instrumentation/folding.py constant: 128 -> 256 | TEXT_LIMIT = >>128<< * 1024": (
        "memory alone: twice as much of a streamed text is kept, and no more of it is written"
    ),
    "agentops_otel/instrumentation/gen_ai.py comparison: len(sources) > _MANY -> (len(sources) >= _MANY) | return LazyList(read, sources) if >>len(sources) > _MANY<< else [item for source in sources if (item := read(source))]": (
        "time alone: a list of just so many messages is converted later"
    ),
    "agentops_otel/instrumentation/gen_ai.py constant: 128 -> 256 | _MANY = >>128<<": (
        "time alone: a list of two hundred messages is converted at once"
    ),
    "agentops_otel/metrics/span_metrics.py constant: 1_000 -> 2000 | UNPRICED = >>1_000<<": (
        "memory alone: more calls wait for the price list"
    ),
    "agentops_otel/metrics/span_metrics.py constant: 10_000 -> 20000 | UNFINISHED = >>10_000<<": (
        "memory alone: more spans that have not ended are known"
    ),
    'agentops_otel/metrics/span_metrics.py word: "inference" -> \'inferencd\' | _INFERENCE = >>"inference"<<': (
        "the same: another key for the count"
    ),
    "agentops_otel/tracing/tracer.py operator: parent is None or (type(parent) is Span and (parent._trace_flags is SA -> (parent is None and (type(parent) is Span and (parent._trace_flags is  | >>parent is None<<": (
        "speed alone: the sampler is asked for each span"
    ),
    "agentops_otel/recording/decorated.py operator: inherited is None or type(inherited) is dict -> (inherited is None and type(inherited) is dict) | if >>inherited is None or type(inherited) is dict<<:": (
        "speed alone: what the spans of a function have in common is made anew"
    ),
    "agentops_otel/tracing/span.py operator: not values or values.keys().isdisjoint(attributes) -> (not values and values.keys().isdisjoint(attributes)) | and (>>not values or values.keys().isdisjoint(attributes)<<)": (
        "speed alone: the attributes are set one by one"
    ),
    "agentops_otel/recording/decorated.py constant: 100 -> 200 | _MAX_LAYERS = >>100<<": (
        "time alone: what makes up wrappers without end is given up later"
    ),
    "agentops_otel/recording/printed.py constant: 64 -> 128 | TRACES = >>64<<": (
        "memory alone: of twice as many traces is kept what was printed"
    ),
    'agentops_otel/recording/processes.py word: "agentops_otel" -> \'agentops_otem\' | data[>>"agentops_otel"<<] = _Starter(context)': (
        "the same: what is under any name runs as it is unpickled"
    ),
    "agentops_otel/tracing/fork_wait.py constant: 0.25 -> 1.5 | _LEAVING_S = >>0.25<<": (
        "time alone: what the system does not remove is waited for longer"
    ),
    'agentops_otel/tracing/fork_wait.py comparison: time.monotonic() < deadline -> (time.monotonic() <= deadline) | while os.path.exists(f"{_TASKS}/{thread.native_id}") and >>time.monotonic() < deadline<<:': (
        "the same: the clock goes on"
    ),
    "agentops_otel/tracing/fork_wait.py comparison: time.monotonic() < deadline -> (time.monotonic() <= deadline) | return >>time.monotonic() < deadline<<": (
        "the same: the clock goes on"
    ),
    "agentops_otel/tracing/fork_wait.py comparison: time.monotonic() < deadline -> (time.monotonic() <= deadline) | while _tasks() - before - _running() and >>time.monotonic() < deadline<<:": (
        "the same: the clock goes on"
    ),
    "agentops_otel/wrapping/function.py argument: super().__new__(cls, *args, **kwargs) -> super().__new__(cls, *args) | return >>super().__new__(cls, *args, **kwargs)<<": (
        "the same: wrapt gives nothing by name"
    ),
    "agentops_otel/view/live/server.py constant: 32 -> 64 | self._token = secrets.token_urlsafe(>>32<<)": (
        "the same: a longer token"
    ),
    'agentops_otel/view/live/store.py word: "PRAGMA journal_mode = WAL" -> \'PRAGMA journal_mode = WAM\' | self._database.execute(>>"PRAGMA journal_mode = WAL"<<)': (
        "speed alone: a reader then waits for a writer"
    ),
    "agentops_otel/content/truncation.py constant: 16 -> 32 | _GROUP = >>16<<": (
        "speed alone: twice as many elements at a time"
    ),
    'agentops_otel/metrics/call_metrics.py word: "Duration of an inference." -> \'Duration of an inference/\' | self._inference = self._seconds(semconv.METRIC_INFERENCE_DURATION, >>"Duration of an inference."<<)': (
        "words for people, in a table of names and bounds"
    ),
    "agentops_otel/view/live/facts.py constant: 0 -> 1 | spans = sorted((node.span for node in nodes), key=lambda span: span.start_time or >>0<<)": (
        "the same: every span has a start"
    ),
    'agentops_otel/view/live/facts.py constant: 0 -> 1 | "start": first.start_time or >>0<<,': (
        "the same: every span has a start"
    ),
    'agentops_otel/view/live/facts.py constant: 0 -> 1 | "start": str(span.start_time or >>0<<),': (
        "the same: every span has a start"
    ),
    'agentops_otel/view/notebook.py word: "opacity:.6" -> \'opacity:.7\' | "dim": >>"opacity:.6"<<,': (
        "looks alone: another shade"
    ),
    "agentops_otel/view/printer.py comparison: (left_s := self._later[0] - time.monotonic()) > 0 -> ((left_s := (self._later[0] - time.monotonic())) >= 0) | elif self._later and >>(left_s := self._later[0] - time.monotonic()) > 0<<:": (
        "the same: at that very moment it is waited for no time"
    ),
    "agentops_otel/view/printer.py constant: 200 -> 400 | WAITING = >>200<<": (
        "memory alone: four hundred traces wait for a terminal"
    ),
    "agentops_otel/view/open_spans.py constant: 10_000 -> 20000 | LIMIT = >>10_000<<": (
        "memory alone: twice as many names are remembered"
    ),
    'agentops_otel/view/open_spans.py constant: 0.0 -> 1.0 | name, began = self._open.get(key, ("", >>0.0<<)) if key else ("", 0.0)': (
        "the same: what is not open has no name"
    ),
    'agentops_otel/view/open_spans.py constant: 0.0 -> 1.0 | name, began = self._open.get(key, ("", 0.0)) if key else ("", >>0.0<<)': (
        "the same: what is not open has no name"
    ),
    'agentops_otel/view/cost.py constant: True -> False | threading.Thread(target=_load, name="agentops_otel prices", daemon=>>True<<).start()': (
        "time alone: the end of a program waits until the price list is imported"
    ),
    "agentops_otel/view/live/files.py constant: 2_000 -> 4000 | BATCH = >>2_000<<": (
        "memory alone: four thousand spans are kept at a time"
    ),
    "agentops_otel/view/live/briefs.py constant: 30_000 -> 60000 | LIMIT_SPANS = >>30_000<<": (
        "memory alone: sixty thousand spans are held"
    ),
    "agentops_otel/view/live/otlp.py constant: 64 -> 128 | LIMIT_BYTES = >>64<< * 1024 * 1024": (
        "memory alone: a body of 128 MB is taken"
    ),
    "agentops_otel/view/live/otlp.py constant: 1024 -> 2048 | LIMIT_BYTES = 64 * >>1024<< * 1024": (
        "memory alone: a body of 128 MB is taken"
    ),
    "agentops_otel/view/live/otlp.py constant: 1024 -> 2048 | LIMIT_BYTES = 64 * 1024 * >>1024<<": (
        "memory alone: a body of 128 MB is taken"
    ),
    "agentops_otel/view/live/loopback.py constant: 1 -> 2 | size = ->>1<<": (
        "the same: another length that no body has"
    ),
    "agentops_otel/view/live/server.py constant: 0.05 -> 1.1 | threading.Thread(target=server.serve_forever, args=(>>0.05<<,), daemon=True).start()": (
        "time alone: the servers end a second later"
    ),
    "agentops_otel/view/live/server.py constant: True -> False | threading.Thread(target=server.serve_forever, args=(0.05,), daemon=>>True<<).start()": (
        "the same: `__exit__` ends the thread"
    ),
    "agentops_otel/view/live/server.py argument: threading.Thread(target=server.serve_forever, args=(0.05,), daemon=Tru -> threading.Thread(target=server.serve_forever, daemon=True) | >>threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)<<.start()": (
        "time alone: the servers end half a second later"
    ),
    "agentops_otel/view/live/server.py argument: threading.Thread(target=server.serve_forever, args=(0.05,), daemon=Tru -> threading.Thread(target=server.serve_forever, args=(0.05,)) | >>threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)<<.start()": (
        "the same: `__exit__` ends the thread"
    ),
    "agentops_otel/view/live/store.py constant: 4 -> 5 | _LAYOUT = >>4<<": (
        "the same: what follows from the spans is made anew once"
    ),
    'agentops_otel/view/live/store.py word: "SELECT DISTINCT service FROM runs ORDER BY service LIMIT 500" -> \'SELECT DISTINCT service FROM runs ORDER BY service LIMIT 501\' | queries["services"] = >>"SELECT DISTINCT service FROM runs ORDER BY service LIMIT 500"<<': (
        "the same: one service more can be chosen"
    ),
    "agentops_otel/view/printer.py constant: 0.0 -> 1.0 | self._waited_at = >>0.0<<": (
        "the same: the clock has gone on for longer than that"
    ),
    "agentops_otel/view/printer.py constant: 0.1 -> 1.2 | RETRY_S = >>0.1<<": (
        "time alone: a terminal that a program's own display uses is looked at again later"
    ),
    "agentops_otel/view/printer.py constant: 0.25 -> 1.5 | FORK_WAIT_S = >>0.25<<": (
        "time alone: a fork waits as long for a terminal that is not read"
    ),
    "agentops_otel/view/terminal_processor.py constant: 10_000 -> 20000 | SHOWN_SPANS = >>10_000<<": (
        "memory alone: twenty thousand printed spans are remembered"
    ),
    "agentops_otel/content/policy.py comparison: len(data) <= limit -> (len(data) < limit) | return (data if >>len(data) <= limit<< else truncate(kept, limit, encode)).decode()": (
        "the same: a text that fits is not shortened"
    ),
    "agentops_otel/content/redaction.py return: return [] -> return None | >>return []<<": (
        "the same: no names, of which there are none"
    ),
    "agentops_otel/content/span_redaction.py condition: len(text) <= SHORT_CHARACTERS -> (not (len(text) <= SHORT_CHARACTERS)) | return _short_text(text) if >>len(text) <= SHORT_CHARACTERS<< else redact_cached(text)": (
        "time alone: another of two caches"
    ),
    "agentops_otel/content/secret_names.py constant: 64 -> 128 | LONGEST_NAME = >>64<<": (
        "speed alone: more of a long name is read"
    ),
    "agentops_otel/view/cost.py row: { semconv.AWS_BEDROCK: \"aws\", semconv.AZURE_AI_INFERENCE: \"azure\", sem -> {semconv.AZURE_AI_INFERENCE: 'azure', semconv.AZURE_AI_OPENAI: 'azure' | _PROVIDERS = >>{<<": (
        "the same, where the price list of today knows the conventions' name too"
    ),
    "agentops_otel/view/cost.py row: { semconv.AWS_BEDROCK: \"aws\", semconv.AZURE_AI_INFERENCE: \"azure\", sem -> {semconv.AWS_BEDROCK: 'aws', semconv.AZURE_AI_INFERENCE: 'azure', semc | _PROVIDERS = >>{<<": (
        "the same, where the price list of today knows the conventions' name too"
    ),
    'agentops_otel/view/live/saved.py word: """\\ <!doctype html> <html lang="en"> <head> <meta charset="utf-8"> <m -> \'<!doctype html>\\n<html lang="en">\\n<head>\\n<meta charset="utf-8">\\n<m | _PAGE = Template(>>"""\\<<': (
        "the same: another white space at the end of the page"
    ),
    "agentops_otel/cli.py statement: store.close() -> pass | >>store.close()<<": (
        "the same: the process ends, and what the database has in its log is read at the next start"
    ),
    "agentops_otel/client.py constant: 0 -> 1 | self._totals.get(conversation_id, >>0<<)": (
        "the same: calls are priced by it, and what it returns is not looked at"
    ),
    "agentops_otel/view/live/loopback.py constant: 32 -> 64 | BODY_BYTES = >>32<< * 1024 * 1024": (
        "memory alone: a body of 64 MB is taken"
    ),
    "agentops_otel/view/live/loopback.py constant: 64 -> 128 | CONNECTIONS = >>64<<": (
        "memory alone: twice as many connections are open, and the line before a chunk is twice as long"
    ),
    "agentops_otel/view/live/loopback.py constant: 64 -> 128 | _SIZE_LINE_BYTES = >>64<<": (
        "memory alone: twice as many connections are open, and the line before a chunk is twice as long"
    ),
    "agentops_otel/view/live/loopback.py constant: 60.0 -> 121.0 | _TIMEOUT_S = >>60.0<<": (
        "time alone: a connection on which nothing comes is closed later"
    ),
    "agentops_otel/view/terminal.py constant: 0 -> 1 | if left < >>0<<:": ("the same: into no room nothing is written"),
    "agentops_otel/view/terminal_processor.py constant: 2_000 -> 4000 | HELD_SPANS = >>2_000<<": (
        "memory alone: four thousand spans wait"
    ),
    'agentops_otel/view/live/facts.py word: "\\n" -> \'\\x0b\' | return >>"\\n"<<.join([span.name, span.status.description or "", *texts])': (
        "the same: another white space between the texts"
    ),
    "agentops_otel/view/live/wanted.py constant: 1 -> 2 | words = [word for word in words if any(map(str.isalnum, word))] or words[:>>1<<]": (
        "the same: nothing is found by two words of signs alone"
    ),
    'agentops_otel/view/cost.py argument: threading.Thread(target=_load, name="agentops_otel prices", daemon=Tru -> threading.Thread(target=_load, name=\'agentops_otel prices\') | >>threading.Thread(target=_load, name="agentops_otel prices", daemon=True)<<.start()': (
        "time alone: the end of a program waits until the price list is imported"
    ),
    'agentops_otel/view/live/saved.py word: "<the data>" -> \'<the data?\' | _DATA = >>"<the data>"<<': (
        "the same: another sign for the place"
    ),
    'agentops_otel/view/live/saved.py word: "const modules = {};\\n" -> \'const modules = {};\\x0b\' | return >>"const modules = {};\\n"<< + "".join(order.values())': (
        "the same: another white space"
    ),
    'agentops_otel/view/lines.py constant: 1 -> 2 | times = f" {glyphs.times} {len(row.nodes)}" if len(row.nodes) > >>1<< else ""': (
        "the same: a line has one span, or four and more"
    ),
    "agentops_otel/view/selection.py constant: 20_000 -> 40000 | HELD_SPANS = >>20_000<<": (
        "memory alone: forty thousand spans are held"
    ),
    "agentops_otel/view/selection.py constant: 0 -> 1 | and (self.since is None or min(span.start_time or >>0<< for span in spans) >= self.since.timestamp() * 1e9)": (
        "the same: no moment that is asked for is so early"
    ),
    "agentops_otel/view/terminal.py comparison: left < 0 -> (left <= 0) | if >>left < 0<<:": (
        "the same: into no room nothing is written"
    ),
    "agentops_otel/view/live/store.py constant: 2000 -> 4000 | PAGE_RUNS = >>2000<<": (
        "memory alone: an answer may have four thousand runs"
    ),
    'agentops_otel/clients/dialects/responses.py word: "reasoning_text" -> \'reasoning_texu\' | "response.reasoning_text.delta": _adding("reasoning", >>"reasoning_text"<<, "content", "content_index"),': (
        "the same: a thought is read whatever the type of its part"
    ),
    "agentops_otel/export/spool.py statement: self._more = False -> pass | >>self._more = False<<": (
        "time alone: the folder is looked through at each read, after many files"
    ),
    "agentops_otel/export/spool.py comparison: segment.waiting_spans > own_spans -> (segment.waiting_spans >= own_spans) | if >>segment.waiting_spans > own_spans<<:": (
        "the same: none is counted as none"
    ),
    "agentops_otel/export/spool.py comparison: _age(path, self._clock()) > self._limit_age_s -> (_age(path, self._clock()) >= self._limit_age_s) | too_old = >>_age(path, self._clock()) > self._limit_age_s<<": (
        "time alone: a tick of the clock earlier"
    ),
    "agentops_otel/export/outbox.py statement: most_bytes -= size -> pass | >>most_bytes -= size<<": (
        "time alone: all that waits is put on disk in one go"
    ),
    "agentops_otel/export/outbox.py operator: deadline - now -> (deadline + now) | self._changed.wait(min(self._paused_until - now, >>deadline - now<<, LONGEST_WAIT_S))": (
        "time alone: a sender that waits looks again at the end of the pause, or after the longest wait"
    ),
    "agentops_otel/export/pipeline.py statement: self._hurry = False -> pass | >>self._hurry = False<<": (
        "speed alone: after a flush, spans are not waited for that could go in one request"
    ),
    "agentops_otel/content/fast_json.py comparison: sum(map(len, texts)) > budget_bytes -> (sum(map(len, texts)) >= budget_bytes) | if >>sum(map(len, texts)) > budget_bytes<< or not (_are_plain(names, texts) and contain_no_secrets(texts)):": (
        "time alone: a value of just so many characters is written the longer way"
    ),
    "agentops_otel/content/span_redaction.py comparison: len(text) <= SHORT_CHARACTERS -> (len(text) < SHORT_CHARACTERS) | return _short_text(text) if >>len(text) <= SHORT_CHARACTERS<< else redact_cached(text)": (
        "time alone: another of two caches"
    ),
    "agentops_otel/content/span_redaction.py comparison: len(text) <= SHORT_CHARACTERS -> (len(text) > SHORT_CHARACTERS) | return _short_text(text) if >>len(text) <= SHORT_CHARACTERS<< else redact_cached(text)": (
        "time alone: another of two caches"
    ),
    "agentops_otel/doctor.py constant: False -> True | context = SpanContext(trace_id, secrets.randbits(64), >>False<<, TraceFlags(TraceFlags.SAMPLED))": (
        "the same: nobody reads of the span itself whether it is remote"
    ),
    "agentops_otel/doctor.py constant: 128 -> 256 | if FileExporter(path).export([_span(secrets.randbits(>>128<<))]) is SpanExportResult.FAILURE:": (
        "the same: the file with it is removed at once"
    ),
    "agentops_otel/one_trace.py constant: False -> True | context = SpanContext(secrets.randbits(128), secrets.randbits(64), is_remote=>>False<<, trace_flags=flags)": (
        "the same: nobody reads of the span itself whether it is remote"
    ),
    "agentops_otel/instrumentation/call.py constant: 0 -> 1 | self._content_bytes: int | None = >>0<< if owns_span else None": (
        "memory alone: the content of a call may take one byte less"
    ),
    "agentops_otel/instrumentation/call.py operator: recorder.content.enabled and self.span.is_recording() -> (recorder.content.enabled or self.span.is_recording()) | on_span = >>recorder.content.enabled and self.span.is_recording()<<": (
        "time alone: content is read, and the recorder records none of it"
    ),
    "agentops_otel/instrumentation/call.py argument: recorder.set_content(self.span, name, value, held=self._content_bytes) -> recorder.set_content(self.span, name, value) | added = >>recorder.set_content(self.span, name, value, held=self._content_bytes)<<": (
        "time alone: the bytes of the span are counted anew"
    ),
    "agentops_otel/content/json_writer.py constant: 2 -> 3 | most = max(budget_bytes // _MIN_NODE_BYTES // >>2<<, 1)": (
        "a list of very small values may end earlier"
    ),
    "agentops_otel/content/json_writer.py constant: 1 -> 2 | most = max(budget_bytes // _MIN_NODE_BYTES // 2, >>1<<)": (
        "the same: a budget that has room for one value is spent on the first"
    ),
    "agentops_otel/content/json_writer.py constant: 2 -> 3 | if length <= >>2<< * most:": (
        "time alone: more of a long list is copied than is written"
    ),
    "agentops_otel/content/json_writer.py constant: 2 -> 3 | if remaining_bytes < >>2<< * MIN_BYTES:": (
        "a mapping may end one pair earlier"
    ),
    "agentops_otel/content/json_writer.py constant: 2 -> 3 | share = max(remaining_bytes // (len(order) - done), >>2<< * MIN_BYTES)": (
        "how the bytes of a small mapping are shared among its values: as a whole it is as long"
    ),
    "agentops_otel/content/json_writer.py constant: 2 -> 3 | self._least_bytes = min(max(budget_bytes // 8, MIN_BYTES), >>2<< * _MIN_PLAIN_BYTES)": (
        "a list may end one item earlier"
    ),
    "agentops_otel/content/json_writer.py constant: 8 -> 9 | self._least_bytes = min(max(budget_bytes // >>8<<, MIN_BYTES), 2 * _MIN_PLAIN_BYTES)": (
        "a list may end one item later"
    ),
    "agentops_otel/content/json_writer.py constant: 2 -> 3 | if self._end - self._first >= >>2<< * count and self._write_group(count):": (
        "speed alone: how many items are written at a time"
    ),
    "agentops_otel/tracing/recorder.py operator: self.content.enabled and span.is_recording() -> (self.content.enabled or span.is_recording()) | if >>self.content.enabled and span.is_recording()<<:": (
        "the same: the policy keeps no text, and a span that has ended takes none"
    ),
    "agentops_otel/tracing/lazy_span.py comparison: (excess := len(values) - self._tracer.attribute_limit) > 0 -> ((excess := (len(values) - self._tracer.attribute_limit)) >= 0) | if >>(excess := len(values) - self._tracer.attribute_limit) > 0<<:": (
        "the same: none too many is none dropped"
    ),
    "agentops_otel/content/json_writer.py comparison: len(text) <= HIDDEN_CHARACTERS -> (len(text) < HIDDEN_CHARACTERS) | if >>len(text) <= HIDDEN_CHARACTERS<<:": (
        "time alone: a key that is too short to hide a secret is searched for one"
    ),
    "agentops_otel/content/json_writer.py comparison: length <= 2 * most -> (length < 2 * most) | if >>length <= 2 * most<<:": (
        "the same: both halves of a list are the list"
    ),
    "agentops_otel/content/json_writer.py constant: 2 -> 3 | count //= >>2<<": (
        "speed alone: how many items are written at a time"
    ),
    "agentops_otel/content/json_writer.py constant: 2 -> 3 | share = self._remaining_bytes if is_last else max(self._remaining_bytes // >>2<<, MIN_BYTES)": (
        "how the bytes of a list are shared among its items: as a whole it is as long"
    ),
    "agentops_otel/content/json_writer.py constant: 1 -> 2 | return list(islice(items, budget_bytes // _MIN_NODE_BYTES + >>1<<))": (
        "time alone: one item more is looked at"
    ),
    "agentops_otel/content/snapshot.py statement: _idle.append((pickler, file)) -> pass | >>_idle.append((pickler, file))<<": (
        "time alone: a pickler is made anew"
    ),
    "agentops_otel/content/named_values.py comparison: end < 0 -> (end <= 0) | if >>end < 0<<:": (
        "the same: a name stands before the value, which is not where the text begins"
    ),
    'agentops_otel/export/spool.py comparison: budget > 0 -> (budget >= 0) | for path in sorted(self.directory.glob(f"*{_SUFFIX}")) if >>budget > 0<< else ():': (
        "time alone: the folder is listed where no file is taken"
    ),
    "agentops_otel/export/outbox.py constant: 0 -> 1 | self.interrupts = >>0<<": (
        "the same: it is compared with what it was before"
    ),
    'agentops_otel/content/json_writer.py operator: budget_bytes - len(key) - 1 -> (budget_bytes - len(key) + 1) | return b"%b:%b" % (key, self.json(value, >>budget_bytes - len(key) - 1<<, key_kind))': (
        "a value may take two bytes of what its mapping has left: as a whole it is within its bytes"
    ),
    "agentops_otel/content/fast_json.py operator: name not in _plain_names and not _is_plain(name) -> (name not in _plain_names or not _is_plain(name)) | if type(name) is not str or (>>name not in _plain_names and not _is_plain(name)<<):": (
        "speed alone: the longer way to the same JSON"
    ),
    "agentops_otel/content/fast_json.py operator: MAX_DEPTH + 1 -> (MAX_DEPTH - 1) | for _ in range(>>MAX_DEPTH + 1<<):": (
        "speed alone: what is that deep goes the longer way to the same JSON"
    ),
    "agentops_otel/content/fast_json.py operator: names <= _plain_names or all(map(_is_plain, names)) -> (names <= _plain_names and all(map(_is_plain, names))) | if >>names <= _plain_names or all(map(_is_plain, names))<<:": (
        "speed alone: the kinds of the names are looked up"
    ),
    "agentops_otel/content/json_writer.py comparison: len(text) > _SHORT_CHARACTERS -> (len(text) >= _SHORT_CHARACTERS) | if >>len(text) > _SHORT_CHARACTERS<<:": (
        "time alone: a text more is counted among those that are searched"
    ),
    "agentops_otel/content/json_writer.py comparison: remaining_bytes < 2 * MIN_BYTES -> (remaining_bytes <= 2 * MIN_BYTES) | if >>remaining_bytes < 2 * MIN_BYTES<<:": (
        "a mapping may end one pair earlier"
    ),
    "agentops_otel/content/json_writer.py operator: budget_bytes // _MIN_NODE_BYTES + 1 -> (budget_bytes // _MIN_NODE_BYTES - 1) | return list(islice(items, >>budget_bytes // _MIN_NODE_BYTES + 1<<))": (
        "a collection of very small values may end two items earlier"
    ),
    "agentops_otel/tracing/lazy_span.py statement: self._made_context = context -> pass | >>self._made_context = context<<": (
        "time alone: a context is made each time that it is asked for"
    ),
    "agentops_otel/content/fast_json.py statement: budget_bytes -= 2 * count -> pass | >>budget_bytes -= 2 * count<<": (
        "time alone: a value that is too long is found so a little later"
    ),
    "agentops_otel/content/redaction.py comparison: end < 0 -> (end <= 0) | return text[start:] if >>end < 0<< else text[start:end]": (
        "the same: a name does not begin with the end of a line"
    ),
    "agentops_otel/content/json_writer.py operator: budget_bytes // 2 -> (budget_bytes * 2) | key = key if key.startswith(b'\"') else truncate(key.decode(), >>budget_bytes // 2<<, json_string)": (
        "how the bytes of a mapping are shared between a key that is no text and its value"
    ),
    "agentops_otel/sdk/__init__.py operator: client.metrics is not None and meters is not None -> (client.metrics is not None or meters is not None) | if >>client.metrics is not None and meters is not None<<:": (
        "the same: there is none without the other"
    ),
    "agentops_otel/export/process_exit.py condition: sys.version_info >= (3, 13) -> (not (sys.version_info >= (3, 13))) | if >>sys.version_info >= (3, 13)<<:  # which calls the handlers of atexit in a child, before its finalizers": (
        "the same up to Python 3.12, where such a child calls no handler of atexit; a test notices it with 3.13"
    ),
    "agentops_otel/export/process_exit.py comparison: sys.version_info >= (3, 13) -> (sys.version_info < (3, 13)) | if >>sys.version_info >= (3, 13)<<:  # which calls the handlers of atexit in a child, before its finalizers": (
        "the same up to Python 3.12, where such a child calls no handler of atexit; a test notices it with 3.13"
    ),
    "agentops_otel/content/media.py comparison: len(text) <= 2 * _END_CHARACTERS -> (len(text) < 2 * _END_CHARACTERS) | return text if >>len(text) <= 2 * _END_CHARACTERS<< else text[:_END_CHARACTERS] + text[-_END_CHARACTERS:]": (
        "the same: both ends of a text of that length are the text"
    ),
    "agentops_otel/content/json_writer.py condition: front is not None -> (not (front is not None)) | back = plain_json(self._items[end - count : end], limit) if >>front is not None<< else None": (
        "speed alone: items are written one at a time"
    ),
    "agentops_otel/content/fast_json.py comparison: len(_plain_names) >= _CACHED_NAMES -> (len(_plain_names) > _CACHED_NAMES) | if >>len(_plain_names) >= _CACHED_NAMES<<:": (
        "memory alone: one name more is remembered"
    ),
    "agentops_otel/export/http.py comparison: status > 500 -> (status >= 500) | verdict = _VERDICTS.get(status, Verdict.RETRY if >>status > 500<< and status != 501 else Verdict.REFUSED)": (
        "the same: 500 is in the table"
    ),
    "agentops_otel/client.py operator: begun + timeout_s - time.monotonic() -> (begun + timeout_s + time.monotonic()) | self._measured.force_flush(int(max(0.0, >>begun + timeout_s - time.monotonic()<<) * 1000))": (
        "time alone: the price list is waited for until it is imported"
    ),
    "agentops_otel/content/json_writer.py comparison: front is not None -> (front is None) | back = plain_json(self._items[end - count : end], limit) if >>front is not None<< else None": (
        "speed alone: items are written one at a time"
    ),
    "agentops_otel/content/redaction.py comparison: len(text) <= _FEW_CHARACTERS -> (len(text) > _FEW_CHARACTERS) | if >>len(text) <= _FEW_CHARACTERS<< and not compiled(_ANY_STEM).search(lower):": (
        "speed alone: short texts are searched by each sign, and long ones by all stems first"
    ),
    "agentops_otel/content/fast_json.py operator: kind is dict or kind is list -> (kind is dict and kind is list) | elif >>kind is dict or kind is list<<:": (
        "speed alone: the longer way to the same JSON"
    ),
    "agentops_otel/content/embedded.py operator: word.lower() == word or word.upper() == word -> (word.lower() == word and word.upper() == word) | if >>word.lower() == word or word.upper() == word<<:": (
        "time alone: identifiers and hashes are decoded and searched"
    ),
    "agentops_otel/content/json_writer.py operator: budget_bytes // _MIN_NODE_BYTES // 2 -> (budget_bytes // _MIN_NODE_BYTES * 2) | most = max(>>budget_bytes // _MIN_NODE_BYTES // 2<<, 1)": (
        "time alone: more of a long list is copied than is written"
    ),
    "agentops_otel/content/json_writer.py comparison: self._end - self._first >= 2 * count -> (self._end - self._first > 2 * count) | if >>self._end - self._first >= 2 * count<< and self._write_group(count):": (
        "speed alone: the last items are written one at a time"
    ),
    "agentops_otel/content/fast_json.py comparison: len(_plain_names) >= _CACHED_NAMES -> (len(_plain_names) < _CACHED_NAMES) | if >>len(_plain_names) >= _CACHED_NAMES<<:": (
        "speed alone: names are looked at anew"
    ),
    "agentops_otel/content/redaction.py comparison: len(text) <= _FEW_CHARACTERS -> (len(text) < _FEW_CHARACTERS) | if >>len(text) <= _FEW_CHARACTERS<< and not compiled(_ANY_STEM).search(lower):": (
        "speed alone: short texts are searched by each sign"
    ),
    "agentops_otel/content/fast_json.py comparison: kinds <= _KINDS -> (kinds < _KINDS) | if not >>kinds <= _KINDS<<:": (
        "speed alone: the longer way to the same JSON"
    ),
    "agentops_otel/export/connect.py statement: self._do(self._tls.do_handshake) -> pass | >>self._do(self._tls.do_handshake)<<": (
        "the same: the first write makes the handshake"
    ),
    'agentops_otel/instrumentation/deferred.py word: "self" -> \'selg\' | copied = source_of(request) if type(request) is dict and >>"self"<< not in request else None': (
        "time alone: a request that has the client itself is refused when the copy comes to it"
    ),
    'agentops_otel/export/otlp_json.py constant: 0 -> 1 | return bool(int(fields.get("flags", >>0<<)) & IS_REMOTE)': (
        "the same: another bit than the one that is asked for"
    ),
    "agentops_otel/content/fast_json.py statement: _plain_names.add(name) -> pass | >>_plain_names.add(name)<<": (
        "speed alone: names are looked at anew"
    ),
    "agentops_otel/content/secret_shapes.py constant: 5 -> 6 | _LETTERS_TOGETHER = >>5<<": (
        "speed alone: how many letters are tried as one set"
    ),
    "agentops_otel/export/pipeline.py constant: False -> True | self._hurry = >>False<<": (
        "speed alone: spans are not waited for that could go in one request"
    ),
    "agentops_otel/startup/sitecustomize.py constant: 0 -> 1 | sys.meta_path.insert(>>0<<, Trigger(file.read().split()))": (
        "the same: what is built into Python is found before it, and nothing of that is waited for"
    ),
    "agentops_otel/view/tree.py constant: 0 -> 1 | nodes = {key_of(span): Node(span=span) for span in sorted(spans, key=lambda span: span.start_time or >>0<<)}": (
        "the same: every span has a start"
    ),
    "agentops_otel/export/pipeline.py constant: 512 -> 1024 | _GATHER = >>512<<": (
        "speed alone: how many spans are waited for"
    ),
    'agentops_otel/tracing/context.py word: "agentops_otel\'s own work" -> "agentops_otel\'s own worj" | OWN_WORK = >>"agentops_otel\'s own work"<<': (
        "the same: a name that nobody reads"
    ),
}


def without_line(place: str) -> str:
    """The place as it is while lines are added above it."""
    return re.sub(r"^([^:]+):\d+", r"\1", place)
