"""The words that all rooms share. Imports no other room."""

from __future__ import annotations

import os

# Workbooks come from outside. openpyxl reads them through defusedxml, but not where lxml lies about (python-docx, which
# only writes, brings it): then entities would be resolved. Every room imports this one before it meets openpyxl.
os.environ["OPENPYXL_LXML"] = "False"
