"""The public site: pages rendered here, usable without JavaScript, from what the services answer."""
