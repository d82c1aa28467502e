"""What links mails to the conversations and meetings that annonces keeps: addresses, rhythm, private content."""
