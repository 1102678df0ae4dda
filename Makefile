PYTHON ?= python3

.DEFAULT_GOAL := help
