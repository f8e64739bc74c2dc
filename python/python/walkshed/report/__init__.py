"""Documents that an institute hands in: a workbook, a report for Word and as PDF, and a sheet for each community."""

from walkshed.report.documents import Documents, report

__all__ = ["Documents", "report"]
