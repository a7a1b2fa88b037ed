"""The words: templates by language, how long they are as SMS, and the shop's own versions of them."""
