"""One module per verb of ./place, with a function ``run(...)``; imported only when its verb is called."""
