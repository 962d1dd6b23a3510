"""A page that asks the model, run as Streamlit's own tests run pages."""

from streamlit.testing.v1 import AppTest


def page():
    """The page."""
    import streamlit
    from ask import ask

    streamlit.write(ask())


if __name__ == "__main__":
    print([element.value for element in AppTest.from_function(page, default_timeout=60).run().markdown])
