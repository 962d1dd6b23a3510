"""A server whose view asks the model."""

from ask import ask
from flask import Flask

app = Flask(__name__)


@app.get("/ask")
def answer():
    """The model's answer."""
    return {"answer": ask()}
