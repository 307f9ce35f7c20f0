"""Metrics of how well dance and music fit each other, and of how plausible and how varied they are.

Every result contains the frame rate at which it was computed.
"""
