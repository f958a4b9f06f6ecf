product = Slipway
skip = Skip to content
nav-main = Main
nav-servers = Servers
nav-operations = Operations
nav-jobs = Jobs
nav-edges = Edges
nav-vapps = vApps
nav-account = Account
demo-banner = Demo: the cloud behind this page is simulated.
sign-out = Sign out
language = Language
language-en = English
language-ru = Русский
theme = Theme
theme-system = As the system
theme-light = Light
theme-dark = Dark
set = Set
footer-zone = Times are in { $zone }
footer-version = Version { $version }
error-prefix = Error:
errors-title = { $n ->
    [one] Please fix 1 thing
   *[other] Please fix { $n } things
}
cancel = Cancel
data-from = Data from { $time }.
refresh = Refresh
live-on = Live
live-reconnecting = Reconnecting… data from { $time }
live-off = Offline: updates paused.
live-signed-out = You were signed out. Reload the page to sign in again.
refreshes = This page refreshes every { $n } s.
refresh-stop = Stop
copy = Copy
copied = Copied
unit-gb = { $n } GB
unit-mbit = { $n } Mbit/s
login-title = Sign in
login-lead = Order a server, watch it come up, and run it.
login-email = E-mail
login-password = Password
login-submit = Sign in
login-demo = Demo accounts
login-demo-password = Password of each:
signed-out = You are signed out.
fault-title = Something went wrong
fault-400 = This form arrived incomplete. Open it again; nothing was changed.
fault-413 = What was sent is longer than any form here allows. Go back, shorten it and send it again; nothing was changed.
fault-403 = You have no access to this page.
fault-403-form = This form was not sent from our page. Open it again; nothing was changed.
fault-404 = Not found, or you have no access.
fault-410-server = This server was terminated on { $date }.
fault-410-draft = This draft has expired.
fault-429 = Too many requests. Try again in a minute.
fault-500 = Our mistake. Nothing was changed unless it is listed under Operations.
fault-request = Request { $id }
fault-back = Back
fault-home = To the start page
fault-operation = Open the operation
waiting-title = This page takes longer than usual
waiting-lead = Our database answers slowly just now. The page is still being fetched and opens here by itself; nothing you have done is lost.
waiting-again = Look again now
account-title = Account
account-profile = Profile
account-save = Save
account-saved = Saved.
account-preferences = Preferences
account-preferences-hint = Kept in this browser.
account-zone = Time zone
account-password = Password
account-password-hint = At least 12 characters, and not easy to guess.
account-password-submit = Change password
account-password-done = { $n ->
    [0] Your password is changed.
    [one] Your password is changed. 1 other session was ended.
   *[other] Your password is changed. { $n } other sessions were ended.
}
account-sessions = Sessions
account-session-here = this one
account-session-since = since
account-session-unknown = Unknown device
account-session-end = End
account-sessions-end-others = End all others
account-sessions-ended = { $n ->
    [0] That session is over already.
    [one] 1 session was ended.
   *[other] { $n } sessions were ended.
}
account-keys-none = No keys yet. Keys that you keep here are one click away when you order.
account-key-preset = for new orders
account-key-make-preset = Use for new orders
account-key-make-plain = Not for new orders
account-key-remove = Remove
account-key-removed = The key is removed here. Servers that have it keep it.
account-key-paste = Public key
account-key-add = Add key
account-key-added = The key is kept.
zone-offer = Your browser uses { $zone }. Use it here?
zone-use = Use it
zone-keep = Keep { $zone }
account-keys = Single-letter keys
account-keys-on = On
account-keys-off = Off
keys-title = Keys
keys-find = Find
keys-then = then
keys-search = Search
keys-next = Next row
keys-previous = Previous row
keys-menu = What can be done to the row
keys-order = Order a server, on the list
keys-refresh = Refresh, while nothing keeps the page fresh
keys-help = This list
keys-send = Send the form you are in
keys-places = Where to go
keys-close = Close a menu or a question
keys-off-hint = Single letters do nothing while you type, and can be switched off:
password-peek = Show
password-hide = Hide
password-generate = Make one
password-holds = ✓ holds
rule-length = { $min } to { $max } characters
rule-alphabet = Latin letters, digits and { $symbols }
rule-names = Without the login and the host name
rule-classes = Three of: upper case, lower case, digit, symbol
rule-common = Not a common password (checked when you go on)
use-offer = Use { $value }

toast-close = Close
live-gone = What this page shows is there no more. Refresh it to see what became of it.

maintenance = Maintenance: operations are accepted and will start after it. Running servers are not affected.
maintenance-until = Maintenance until { $time }: operations are accepted and will start after it. Running servers are not affected.
platform-silent = The virtualisation platform has not answered since { $time }. States may be out of date; your servers keep running.
