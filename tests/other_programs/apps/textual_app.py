"""A full-screen program, which asks twice in a thread of its own."""

from ask import ask
from textual.app import App
from textual.widgets import Footer, Header, Static


class Asking(App):
    """The answers, a line each."""

    def compose(self):
        """What is on the screen."""
        yield Header()
        yield Static("asking", id="answers")
        yield Footer()

    def on_mount(self):
        """Ask."""
        self.run_worker(self.answers, thread=True)

    def answers(self):
        """Show both answers, and end once they are drawn."""
        said = "\n".join(ask() for _ in range(2))
        self.call_from_thread(self.query_one("#answers", Static).update, said)
        self.call_from_thread(self.set_timer, 1.0, self.exit)


Asking().run()
print("THE END")
