"""One module per verb of ./place; each is a function ``run(...)``, imported only when its verb is called."""
