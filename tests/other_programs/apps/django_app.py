"""A Django project in one file."""

import sys

from ask import ask
from django.conf import settings
from django.core.management import execute_from_command_line
from django.http import JsonResponse
from django.urls import path

settings.configure(DEBUG=True, ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="none")
urlpatterns = [path("ask", lambda request: JsonResponse({"answer": ask()}))]

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
