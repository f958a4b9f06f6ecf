order-title = Order a server
order-steps = Order steps
order-summary = Order summary
wizard-os = OS
wizard-size = Size
wizard-access = Access
wizard-review = Review
wizard-done = done
wizard-faulty = has errors
wizard-locked = Finish { $step } first.
wizard-next = Next: { $step }
wizard-back = Back
wizard-exit = Save and exit
wizard-saved = Saved at { $time }
wizard-recalculate = Recalculate
wizard-help = Help
os-heading = Choose a system
os-help = The system is installed fresh. You can reinstall it later; the server keeps its address.
family-linux = Linux
family-windows = Windows Server
channel-stable = Stable
channel-old = Old
channel-new = New
os-supported = Vendor support until { $date }
os-old = Old kernel; vendor support ended on { $date }. Choose it only for software that needs it.
os-minimum = From { $vcpu } vCPU, { $ram } RAM, { $disk } disk
os-licence = Licence { $price } per month
size-heading = Choose the size
size-help = Every value is free within its limits and can be changed later; the disk can only grow.
size-presets = Fill in
preset-small = Small
preset-medium = Medium
preset-large = Large
size-range = from { $min } to { $max }, step { $step }
size-unit-vcpu = + { $price } per vCPU
size-unit-gb = + { $price } per GB
size-edges-free = Enough capacity.
size-edges-few = { $n ->
    [one] Only 1 network slot left.
   *[other] Only { $n } network slots left.
}
size-edges-none = No free network slot now: your order will wait for one.
access-heading = Name and access
access-help = The name is for you; the host name is what the server calls itself. A password we generate is shown once, when the server is ready.
access-name-hint = A label in your list. Any alphabet, up to 40 characters.
access-hostname-hint = Latin letters, digits, hyphens and dots.
method-password = Password
method-key = SSH key only
method-key_and_password = SSH key and password
access-login-hint = root, or a name of your own with sudo.
access-login-hint-windows = Administrator, or a name of your own.
password-generated = Generate for me
password-generated-hint = 24 characters, shown once when the server is ready.
password-own = My own
password-kept = Password is set. Leave empty to keep it.
keys-hint = One public key a line, up to 10: ssh-ed25519, ecdsa, sk-…, ssh-rsa from 2048 bits.
keys-read = Keys read
access-ip = IP address
access-ip-auto = Assigned automatically.
review-heading = Review and order
review-help = Nothing is charged and nothing is made before you press the button.
review-change = Change
review-change-of = Change: { $step }
price-changed = The price changed from { $from } to { $to } per month.
price-changed-on = The price changed from { $from } to { $to } per month on { $date }.
review-price = Price per month
review-item = Item
review-quantity = Quantity
review-unit = Unit price
review-sum = Sum
review-total = Total per month
review-hour = about { $price } per hour
review-time = It takes 3–5 minutes.
review-checks = Before you order
review-check-ok = The choices fit each other.
review-check-slot = A network slot is available.
review-check-bad = { $step }: something is to be fixed.
review-fix = Fix
review-after = Another operation of yours comes first: { $what }. This order will start after it.
review-terms = I accept the terms.
review-submit = Order for { $price } per month
item-licence = Licence
password-line-generated = generated, shown once
password-line-own = chosen by you
password-line-none = none: key only
order-too-many = You have { $limit } unfinished operations, which is the limit. Wait until some are done.
order-gone = This draft cannot be ordered any more. Start a new order.
order-other-values = This form was already sent with other values.
draft-ordered = This draft has been ordered already. Here is what became of it.
draft-discarded = The draft was discarded.
review-servers = { $n } servers
review-submit-several = Order { $n } servers for { $price } per month
order-several = Order accepted: { $n } servers, each with its own operation.
wizard-panel = Panel
panel-heading = Choose a control panel
panel-help = A panel manages sites, mail and databases in the browser. It is installed once the server is ready; you can use the server meanwhile.
panel-none = No panel
panel-none-note = Only the system.
panel-price = { $price } per month
panel-time = + about { $n } min
panel-needs = From { $ram } RAM, { $disk } disk
panel-address = Signed in to at { $address }
panel-full-name = Needs a full host name like host.example.com
panel-change-os = Change OS
panel-switch = Switch to { $system }
panel-without = Continue without a panel
panel-repairs = Ways to put it right
os-panels = Works with: { $panels }
review-time-panel = It takes 3–5 minutes, with { $panel } about { $n }.
item-panel = Panel licence
access-hostname-full = { $panel } needs a full name like host.example.com.
keys-saved = Your keys
keys-add = Add { $name }
preset-before = As before
size-quantity-hint = From 1 to 10, all alike. Their names are numbered on: web-01, web-02, …
size-room = { $n ->
    [0] There is no room for more operations now (limit of unfinished operations).
    [one] There is room for 1 server now (limit of unfinished operations).
   *[other] There is room for { $n } servers now (limit of unfinished operations).
}
access-name-taken = You already have a server named { $name }. That is allowed, but easy to mix up.
review-terms-hold = By ordering you accept the terms.
review-no-room = { $n ->
    [0] You have as many unfinished operations as you may. Wait until some are done.
    [one] There is room for 1 more operation now: order fewer servers, or wait.
   *[other] There is room for { $n } more operations now: order fewer servers, or wait.
}
os-filters = Which systems are shown
os-filter-panel = With { $panel }

review-another = Order and configure another
order-accepted-next = { $n ->
    [one] Order accepted: it is among your operations. Here is the next one.
   *[other] Order accepted: { $n } servers, each among your operations. Here is the next one.
}
