"""The report as one HTML file that opens anywhere, on paper too."""

from reports.html.page import html_report

__all__ = ["html_report"]
