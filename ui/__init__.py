"""The pages of the workbench, and the panels they share."""
