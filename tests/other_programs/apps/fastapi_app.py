"""A server whose endpoint asks the model."""

from ask import ask
from fastapi import FastAPI

app = FastAPI()


@app.get("/ask")
def answer():
    """The model's answer."""
    return {"answer": ask()}
