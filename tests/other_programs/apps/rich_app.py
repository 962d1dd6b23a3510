"""A progress bar and a live display, while a model is asked."""

from ask import ask
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

with Progress(TextColumn("{task.description}"), BarColumn()) as progress:
    for _ in progress.track(range(2), description="asking"):
        ask()

table = Table("answer")
with Live(table, auto_refresh=False) as live:
    table.add_row(ask())
    table.add_row(ask())
print("THE END")
