"""The programs: other people's, in their newest releases, each as its users start it."""

import re
from dataclasses import dataclass, field

from tests.program import ROOT


def block(page: str, package: str) -> str:
    """The program of a page of docs/ that imports the package."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / page).read_text(), re.DOTALL)
    return next(text for text in map(str, blocks) if re.search(rf"^(from|import) {package}\b", text, re.MULTILINE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One program, and what it does with a model."""

    name: str
    packages: tuple[str, ...]
    """What pip installs."""
    command: tuple[str, ...]
    """How it is started, in the folder of the apps; `{port}` is a free port."""
    calls: int = 1
    """How many LLM calls it makes, each in its own trace."""
    traces: int = 0
    """Under `run`: in how many traces these are, where not each is in its own."""
    init: tuple[str, ...] = ()
    """How it is started where its own code cannot call `init()`."""
    requests: tuple[str, ...] = ()
    """The paths that a server is asked for; it is stopped by SIGINT then."""
    on_screen: bool = False
    """It runs on a terminal, and its screen is compared."""
    text: str = "It is 21 degrees in Paris."
    """What the model answers."""
    files: dict[str, str] = field(default_factory=dict)
    """Files besides, in the program's home; `{url}` is the model's."""


LLM = "import agentops_otel; agentops_otel.init(); from llm.cli import cli; cli(prog_name='llm')"
LLM_MODELS = "- {model_id: local, model_name: gpt-4.1, api_base: '{url}/v1', api_key_name: local}\n"
ASKED_TWICE = ("/ask", "/ask")

PROGRAMS = (
    Program(
        name="llm",
        packages=("llm",),
        command=("llm", "-m", "local", "--key", "none", "--no-stream", "hi"),
        init=("python", "-c", LLM, "-m", "local", "--key", "none", "--no-stream", "hi"),
        files={"extra-openai-models.yaml": LLM_MODELS},
    ),
    Program(
        name="fastapi",
        packages=("fastapi", "uvicorn", "openai"),
        command=("uvicorn", "fastapi_app:app", "--workers", "2", "--port", "{port}"),
        requests=ASKED_TWICE,
        calls=2,
    ),
    Program(
        name="flask",
        packages=("flask", "openai"),
        command=("flask", "--app", "flask_app", "run", "--port", "{port}"),
        requests=ASKED_TWICE,
        calls=2,
    ),
    Program(
        name="gunicorn",
        packages=("flask", "gunicorn", "openai"),
        command=("gunicorn", "-w", "2", "-b", "127.0.0.1:{port}", "flask_app:app"),
        requests=ASKED_TWICE,
        calls=2,
    ),
    Program(
        name="gevent",
        packages=("flask", "gunicorn", "gevent", "packaging", "openai"),
        command=("gunicorn", "-k", "gevent", "-b", "127.0.0.1:{port}", "flask_app:app"),
        requests=ASKED_TWICE,
        calls=2,
    ),
    Program(
        name="reload",
        packages=("fastapi", "uvicorn", "openai"),
        command=("uvicorn", "fastapi_app:app", "--reload", "--port", "{port}"),
        requests=ASKED_TWICE,
        calls=2,
    ),
    Program(
        name="django",
        packages=("django", "openai"),
        command=("python", "django_app.py", "runserver", "{port}"),
        requests=ASKED_TWICE,
        calls=2,
    ),
    Program(name="celery", packages=("celery", "openai"), command=("python", "celery_app.py")),
    Program(name="joblib", packages=("joblib", "openai"), command=("python", "joblib_app.py"), calls=3),
    Program(name="dask", packages=("dask[distributed]", "openai"), command=("python", "dask_app.py"), calls=2),
    Program(
        name="dask-traces",
        packages=("dask[distributed]", "openai"),
        command=("python", "dask_traces.py"),
        calls=8,
        traces=2,
    ),
    Program(name="loky", packages=("loky", "openai"), command=("python", "loky_app.py"), calls=4, traces=2),
    Program(name="ray", packages=("ray", "openai"), command=("python", "ray_app.py"), calls=2),
    Program(
        name="instructor",
        packages=("instructor", "openai"),
        command=("python", "instructor_app.py"),
        text='{"city": "Paris"}',
    ),
    Program(name="streamlit", packages=("streamlit", "openai"), command=("python", "streamlit_app.py")),
    Program(
        name="streamlit-recipe",
        packages=("streamlit",),
        command=("python", "streamlit_recipe.py"),
        files={"recipe.py": block("recipes.md", "streamlit")},
        calls=0,
    ),
    Program(
        name="fastapi-recipe",
        packages=("fastapi", "openai"),
        command=("python", "../recipe.py"),
        files={"recipe.py": block("servers.md", "fastapi")},
        calls=0,
    ),
    Program(
        name="gradio", packages=("gradio", "gradio_client", "openai"), command=("python", "gradio_app.py"), calls=2
    ),
    Program(
        name="chainlit",
        packages=("chainlit", "openai", "aiohttp"),
        command=("python", "chainlit_turns.py", "{port}"),
        calls=2,
    ),
    Program(name="marimo", packages=("marimo", "openai"), command=("python", "marimo_app.py")),
    Program(
        name="jupyter", packages=("nbclient", "ipykernel", "openai"), command=("jupyter-execute", "notebook.ipynb")
    ),
    Program(
        name="langgraph",
        packages=("langgraph-cli[inmem]", "langgraph", "openai"),
        command=("python", "langgraph_turns.py", "{port}"),
        calls=2,
    ),
    Program(
        name="rich", packages=("rich", "pyte", "openai"), command=("python", "rich_app.py"), calls=4, on_screen=True
    ),
    Program(
        name="textual",
        packages=("textual", "pyte", "openai"),
        command=("python", "textual_app.py"),
        calls=2,
        on_screen=True,
    ),
    Program(name="dspy", packages=("dspy", "litellm"), command=("python", "dspy_app.py")),
)
