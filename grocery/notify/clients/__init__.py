"""The clients of the outside world: Africa's Talking and SMTP, and the console in their place."""
