"""The recipe for Streamlit, and a question."""

from streamlit.testing.v1 import AppTest

page = AppTest.from_file("../recipe.py").run(timeout=60)
page.chat_input[0].set_value("hi").run(timeout=60)
assert not page.exception, page.exception
print(page.markdown[0].value)
