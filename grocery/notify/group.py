"""The command group `flask notify`, to which the parts of this package add their commands."""

from grocery.commands import CommandGroup

notify = CommandGroup("notify", help="Messages to customers and admins.")
