"""A notebook of marimo's."""

import marimo

app = marimo.App()


@app.cell
def _():
    from ask import ask

    print(ask())


if __name__ == "__main__":
    app.run()
