"""Checks of the deployment templates and their forms."""
