staff-jobs-title = Jobs
staff-edges-title = Edges
staff-vapps-title = vApps
staff-all = All
staff-states = States
staff-jobs-caption = Jobs, newest first
staff-jobs-empty = No jobs match.
staff-jobs-empty-title = No jobs
staff-more = Older
job-queued-staff = Queued
job-running-staff = Running
job-parked-staff = No free edge
job-retry_wait-staff = Waiting to retry
job-failed-staff = Failed
job-rolling_back-staff = Rolling back
job-rolled_back-staff = Rolled back
job-stuck-staff = Stuck: an undo failed
job-succeeded-staff = Done
job-cancelled-staff = Cancelled
col-number = Number
col-what = What
col-customer = Customer
col-step = Step
col-attempt = Attempt
col-started = Started
col-duration = Duration
col-cause = Cause
col-edge = Edge
col-owner = Owner
col-block = Addresses
col-speed = Speed
col-job = Job
col-since = Since
col-checked = Last checked
col-servers = Servers
col-networks = Networks
col-machines = Machines
col-time = Time
col-event = Event
col-detail = Detail
job-summary = Summary
job-requester = Requested by
job-request-id = Request
job-why = Why it is not running
job-worker = Worker
job-claim-until = claim until { $time }
job-no-worker = none
job-cause-title = Cause
job-steps = Steps
job-events = Log
job-events-caption = What happened, oldest first
job-task = platform task { $id }
job-accepted = Accepted
edge-free = Free
edge-claimed = Claimed
edge-bound = In use
edge-draining = Being cleared
edge-quarantined = Quarantined
edges-caption = The pool of edges
edges-conflicts = Claim conflicts: { $n }
edges-conflicts-hint = Counted over the table. It must read 0.
edges-empty-title = No edges
edges-empty = The platform has not been read yet.
vapps-caption = vApps, by customer
vapps-empty-title = No vApps
vapps-empty = The first order of a customer makes one.
vapps-never = Not synchronised yet.
vapps-none = does not exist now
vapps-believed = { $servers } in our record, { $machines } on the platform
unlimited = unlimited
cause-platform_busy = The platform is busy with the same object
advice-platform_busy = It is retried by itself. If it lasts, look for another task on the object in the platform.
cause-platform_unavailable = The platform does not answer
advice-platform_unavailable = It is retried by itself. Check the platform's address and health.
cause-platform_denied = The platform refuses our account
advice-platform_denied = Check the user, password and rights of the platform account in the configuration.
cause-platform_refused = The platform refused the request
advice-platform_refused = The detail holds its words. Mend what it names, then re-run from this step.
cause-task_failed = A task of the platform ended in an error
advice-task_failed = The detail holds its words. Re-run from this step once the cause is mended.
cause-timeout = It did not finish in the time allowed
advice-timeout = Look at the task in the platform. If it has ended meanwhile, re-run from this step: it will be found.
cause-outcome_unknown = It was sent, and no answer came
advice-outcome_unknown = The outcome is read back before anything is sent again. Nothing to do.
cause-no_free_edge = No edge is free
advice-no_free_edge = Free an edge or add some to the pool. The order goes on by itself.
cause-template_missing = The template is missing on the platform
advice-template_missing = Put the template back into the catalogue, or choose another one.
cause-customization_failed = The guest could not be set up
advice-customization_failed = Look at the console and the customization log inside the guest.
cause-order_invalid = The order breaks a rule that held when it was accepted
advice-order_invalid = The catalogue has changed since. Put it back, or cancel the order.
cause-not_last_server = A neighbour is still in the group that is to be deleted
advice-not_last_server = It must not be stopped: look at both vApps in the platform, then re-run.
cause-not_movable = A neighbour cannot be moved as it is
advice-not_movable = The detail names the server and what is in the way. Remove its snapshot or answer its question with the customer, then re-run from this step. Nothing was stopped; the edge stays reserved.
cause-irreversible = What was done cannot be taken back
advice-irreversible = Look at what is left in the cloud, then mark the step as done or finish it by hand.
cause-unreadable = The job's record cannot be read
advice-unreadable = A newer program wrote it, or somebody's hand. Update this node, then run the job again.
cause-shape_changed = The job began under another version of its workflow
advice-shape_changed = Run it with the program version that accepted it, or order again.
cause-panic = Our program failed in this step
advice-panic = Send the detail and the request id to the developers.
cause-database = Our database did not answer
advice-database = It is retried by itself. Check the disk and the database.
cause-internal = Something that has no name yet
advice-internal = Send the detail and the request id to the developers.
cause-address_silent = The guest did not answer under its address
advice-address_silent = Where it was changed, the old address was restored. Look at the guest: does its start-up script run, and is the port open?
cause-access_refused = The guest does not let in with what was ordered
advice-access_refused = Look at the guest's console: did its first-boot script run to its end, and does its SSH server take passwords or the key? Then run the job again from this step.
cause-snapshot_in_the_way = A snapshot is in the way
advice-snapshot_in_the_way = The disk cannot grow while there is one. Have the customer remove it, then re-run from this step.
staff-drift-title = Differences
drift-title = Differences from our record
drift-lead = The cloud is looked at once a minute. What is missing, and what nobody owns, counts after two looks.
drift-empty-title = No differences
drift-empty = The cloud is as our record has it.
drift-what = What
drift-subject = Of
drift-desired = Should be
drift-observed = Is
drift-since = Since
drift-then = What happens
drift-at-once = Put right at once, nobody notices.
drift-next-restart = The next restart of the server puts it right.
drift-accept = Accept as the new desired
drift-machine-missing = Machine missing
drift-network-missing = Network missing
drift-size = Size
drift-address = Address of the card
drift-speed = Speed
drift-first-login = Password change at first log-in
drift-hostname = Host name inside
drift-guest-address = Address inside
drift-orphan-machine = Machine without an owner
drift-orphan-network = Network without an owner
drift-orphan-group = vApp without an owner
drift-advice-machine-missing = Look in the platform. If it is gone for good, reinstall the server with its customer, or terminate it.
drift-advice-network-missing = Look in the platform. The server has no network until it is there again.
drift-advice-size = Resize it back with its customer, or accept what is there.
drift-advice-orphan-machine = Nothing in our record names it. Look at it. Then: slipway orphans --delete NAME.
drift-advice-orphan-network = Nothing in our record names it. Its edge stays out of the pool until it is deleted. Then: slipway orphans --delete NAME.
drift-advice-orphan-group = Nothing in our record names it. Look at it. Then: slipway orphans --delete NAME.
edges-move = Move to another edge
edges-move-title = Move { $name } to another edge
edges-move-lead = The server gets another address and restarts once. All servers of this customer move to a new vApp, running. If it does not answer at its new address, everything is put back.
edges-move-keep = Keep the old edge out of the pool
edges-move-submit = Move { $name }
edges-held = Out of the pool: { $why }
cause-panel_failed = The installer of the panel failed on the server
advice-panel_failed = Read the end of the log: the installer says there what it missed. Once that is mended on the server, run the job again; what is done already is not done twice.
cause-installer_broken = Panels cannot be installed from this node
advice-installer_broken = Ansible is missing or broken here: run "slipway ansible install" with this node's data folder, then run the job again.
job-log = Output
job-log-caption = What the job's steps said, oldest line first

denial-being-undone = It is being undone.
denial-being-stopped = It was asked to stop already.
denial-job-waiting = It waits in the queue and has not failed.
denial-job-running = It is running.
denial-newer-change = A newer operation has changed this server; running this one again would overwrite it:
job-do-rerun = Re-run
job-do-rerun-from = Re-run from failed step: { $step }
job-do-roll_back = Roll back
job-do-mark_done = Mark step as done
job-do-stop = Cancel job
job-done-rerun = It is queued again, from the step that failed.
job-done-roll_back = What it has done is being taken back.
job-done-mark_done = The step counts as done, and the job goes on.
job-done-stop = It was asked to stop.
job-already = { $by } did this already, at { $time }.
job-rerun-means = Steps that are kept: { $kept }. Steps that will run: { $run }.
job-rerun-end = It will queue again at the end.
job-roll_back-means = These steps will be undone, in this order:
job-mark_done-means = The step { $step } will count as done without running again. Say so only when it was done by hand.
job-stop-means = One that waits is taken back at once; one that runs stops at its next step and undoes what it did.
job-by-hand = { $by }: { $why }
why-hint = At least 10 characters; it stays in the record.
job-keep-network = Leave the network behind, where its neighbours cannot be moved now
staff-jobs-search = Find jobs
staff-jobs-how = How to search
staff-jobs-words = A number finds one job, other words find servers by name. Narrower:
staff-jobs-keys = Words that narrow a search:
staff-jobs-instead = Perhaps:
staff-jobs-unknown = Not understood, and left out:
staff-jobs-all = All jobs
staff-views = Views
staff-view-failed = Failed now
staff-view-stuck = Stuck
staff-view-slow = Slow: { $n }
staff-view-mine = Assigned to me
staff-done-today = Done today
staff-jobs-newer = { $n } new.
staff-jobs-show = Show
staff-jobs-bulk = Re-run all that match…
staff-jobs-seen = Nothing older than job #{ $number } has been looked through.
staff-jobs-further = Look further back
slow-unclaimed = nobody works on it
slow-tries = tried again and again
slow-step = slow step
bulk-title = Re-run failed jobs
bulk-lead = Each goes on from the step that failed. What is listed here is what is done: one that changes before you press the button is left alone.
bulk-more = These are the first 100 that match. The others follow once these are under way.
bulk-caption = What would happen to each job
bulk-outcome = What happens
bulk-will = Runs again
bulk-will-not = Left alone
bulk-none = None of these can be run again.
bulk-do = { $n ->
    [one] Re-run { $n } job
   *[other] Re-run { $n } jobs
}
bulk-back = Back to the list
bulk-again = { $n ->
    [one] { $n } job is queued again.
   *[other] { $n } jobs are queued again.
}
bulk-changed = { $n ->
    [one] { $n } had changed meanwhile and was left alone.
   *[other] { $n } had changed meanwhile and were left alone.
}
job-assignee = Looked after by
job-nobody = nobody
job-assign = Assign to me
job-unassign = Give it back
job-notes = Notes
job-note-hint = For other staff; customers never see it. It stays in the record.
job-note-add = Add note
job-note-left = The note was added.
job-log-file = Download the log
job-back = Back to the job

# Overview
nav-overview = Overview
overview-failed = { $n ->
    [one] failed job
   *[other] failed jobs
}
overview-stuck = { $n ->
    [one] stuck job
   *[other] stuck jobs
}
overview-slow = { $n ->
    [one] slow job
   *[other] slow jobs
}
overview-slow-means = Longer in a step than 99 of 100 were.
overview-queued = { $n ->
    [one] queued job
   *[other] queued jobs
}
overview-parked = { $n ->
    [one] job that waits for an edge
   *[other] jobs that wait for an edge
}
overview-running = { $n ->
    [one] job under way
   *[other] jobs under way
}
overview-done-today = Done today: { $n }
overview-oldest = has waited longest: { $took }
overview-edges = { $n ->
    [one] edge free
   *[other] edges free
}
overview-drift = { $n ->
    [one] difference from our record
   *[other] differences from our record
}
overview-platform = the platform
overview-answers = Answers
overview-silent = Silent since { $time }
overview-answered = A look at everything took { $took } s, at
overview-never-answered = Nobody has looked at it yet.
overview-workers = { $n ->
    [one] process that runs jobs
   *[other] processes that run jobs
}
overview-heard = Last heard of at { $time }
overview-usual = from order to log-in, median
overview-usual-goal = The goal is 3 to 5 minutes.
overview-days = Servers of the last 14 days
overview-days-said = { $ordered } ordered and { $ended } ended; at most { $most } in a day.
overview-as-table = As a table
overview-day = Day
overview-ordered = ordered
overview-ended = ended

# The pool
edges-views = How it is shown
edges-states = States of edges
edges-as-table = Table
edges-as-grid = Grid
edges-all = All edges
edges-none-title = None in this state
edges-none = No edge is in this state now.
edges-back = All edges
edges-check = Ask the platform now
edges-asked = The platform is asked now. What is new in the pool appears by itself.
edges-wanted = The platform was asked at { $time } and has not answered yet.
edges-flow = In the last 7 days { $taken } were taken and { $back } came back.
edges-last = { $n ->
    [0] At this pace the free ones are gone within a day.
    [one] At this pace the free ones last { $n } day.
   *[other] At this pace the free ones last { $n } days.
}
edges-enough = At this pace they do not run out.
edges-run-out = None is free: orders wait.
edges-low = { $n ->
    [one] Only { $n } edge is free.
   *[other] Only { $n } edges are free.
}
edges-low-advice = Add edges on the platform and ask it again, or free some: look at those that are quarantined.
edges-disagree = Record and platform disagree
edge-disagree-advice = Look at the edge's networks on the platform, then ask it again.
edge-title = Edge { $name }
edge-back = Back to the edge
edge-record = Our record
edge-platform = The platform
edge-held = Why it is out of the pool
edge-network = Network
edge-networks = Networks on it
edge-gateway = Gateway
edge-ref = Reference
edge-history = History
edge-history-caption = What the edge has been through, newest first
edge-history-none = Nothing has happened to it yet.
edge-do-release = Release claim
edge-do-quarantine = Quarantine
edge-do-return = Return to pool
edge-release-means = The claim is given up. The edge goes back to the pool, or stays out of it while the platform shows a network on it.
edge-quarantine-means = The edge stays out of the pool until somebody returns it. No order gets it.
edge-return-means = The edge goes back to the pool, and the order that has waited longest may get it at once.
edge-done-release = The claim was given up.
edge-done-quarantine = The edge is out of the pool.
edge-done-return = The edge is back in the pool.
denial-edge-in-use = A server stands on it.
denial-job-lives = Its job is not over yet:
denial-edge-not-claimed = Nobody has claimed it.
denial-edge-out-already = It is out of the pool already.
denial-edge-not-out = It is not out of the pool.
denial-edge-has-network = The platform still shows a network on it.

# vApps
vapp-title = vApp { $name }
vapp-back = All vApps
vapp-back-one = Back to the vApp
vapp-ref = On the platform
vapp-resync = Synchronise now
vapp-asked = The platform is looked at now. What it holds appears here once that is done.
vapp-look-wanted = A look was asked for at { $time } and is not done yet.
vapp-differs = Record and platform disagree
vapp-not-ours = not in our record
vapp-not-there = not on the platform
vapp-on = on
vapp-off = off
vapp-obstacle = What keeps it from moving
vapp-machines-caption = Servers: our record and the platform, side by side
vapp-networks-caption = Networks, and what keeps each
vapp-kept = Why it cannot be removed
vapp-kept-machine = The card of { $name } is on it.
vapp-kept-runs = Nothing is on it, but servers of this vApp run: it goes with the next move.
vapp-kept-nothing = Nothing keeps it any more.
vapp-left = its server has left it
vapp-held = Edges that are held for networks of this customer
vapp-open = Running jobs
vapp-moves = Migration history
vapp-no-jobs = None.
vapp-plan = Dry run of a migration
vapp-plan-of = What would move
vapp-plan-unused = what nobody uses is taken away
vapp-plan-if = if { $name } was terminated
vapp-plan-show = Show what would happen
vapp-plan-nothing = There is nothing to take away: nothing would be moved.
vapp-plan-next = New vApp
vapp-plan-machines = Servers that move, running
vapp-plan-networks = Networks that come along
vapp-plan-gone = Deleted
vapp-plan-old = vApp that is deleted
vapp-plan-way = This has to be put right first:
vapp-plan-means = By the last look at the platform. Nothing was changed.
vapp-migrate = Migrate
vapp-migrate-begun = The migration is queued.

# Customers
nav-customers = Customers
customers-search = E-mail or name
customers-all = All customers
customers-empty-title = No customers
customers-empty = No customer matches.
customers-open = Open jobs
customers-failed = failed: { $n }
customers-caption = Customers, by e-mail
customers-next = Next
customer-since = customer since
customer-look-as = View as customer
customer-vapp = vApp
customer-jobs = All jobs
customer-no-servers = No servers.
customer-queue = Queue: who waits for whom
customer-no-queue = Nothing is open.
customer-done = Done lately
looking-label = You look as a customer
looking-as = You see what { $email } sees. Nothing can be changed, and no secret is shown. This is written down.
looking-end = Stop

# Differences: what nobody owns
drift-clear = Delete…
drift-clear-title = Delete { $name }
drift-clear-means = Nothing in our record names it. It is deleted with everything on it, at the next look that still sees it. This cannot be undone.
drift-clear-do = Delete it
drift-clear-asked = { $name } is deleted at the next look.
drift-clear-since = Deletion was asked for at { $time }.
drift-clear-gone = It is gone already, or somebody has asked for that before.

# System
nav-system = System
system-answered = Last answer
system-took = A look at everything took
system-seconds = { $n } s
system-maintenance = Maintenance
system-maintenance-means = Nothing more is taken up until you end it; what is under way goes on to its end. Customers are told above every page.
system-maintenance-begin = Begin maintenance
system-maintenance-end = End maintenance
system-paused = Nothing is taken up. An administrator can let a single job run: on its page.
system-minutes-hint = Customers are told until when. Empty: it is not known.
system-began = Nothing more is taken up.
system-ended = Jobs are taken up again.
system-workers = Processes that run jobs
system-worker = Process
system-worker-there = There
system-worker-silent = Silent
system-worker-unknown = Never heard of
system-claims = Claims
system-expires = First claim ends
system-heard = Heard of
system-version = Version
system-no-workers = No process runs jobs: nothing that is accepted is done. Start one with: slipway worker
system-places = { $n } of { $most } places are taken.
system-holding = Jobs that failed and keep others out: { $n }
system-orphans = Differences and what nobody owns: { $n }
system-configuration = Configuration
system-configuration-hint = Of the process that shows this page, as it was started. It is changed by its arguments and variables.
config-listen = Address
config-data = Data folder
config-database = Database
config-matrix = Matrix of conflicts
config-catalogue = Catalogue
config-jobs-at-once = Jobs at once
config-cloud-jobs-at-once = Jobs at once on the cloud
config-panels-at-once = Panels at once
config-vcd = Cloud Director
config-vcd-org = Organisation
config-vcd-vdc = VDC
config-vcd-user = User
config-vcd-password = Password

# Audit
audit-title = Audit log
audit-caption = What was done by hand, newest first
audit-by = Who
audit-subject = To what
audit-why = Why
audit-any = Anything
audit-show = Show
audit-all = Everything
audit-empty-title = Nothing
audit-empty = Nothing of this kind was done.
audit-nobody = Nobody of the staff has the e-mail { $email }: that part was left out.
audit-csv = Download as CSV
audit-json = Download as JSON
audit-command-line = command line
audit-edge_release = Claim of an edge released
audit-edge_quarantine = Edge quarantined
audit-edge_return = Edge returned to the pool
audit-server_change_edge = Server moved to another edge
audit-vapp_migrate = Migration begun
audit-drift_accept = Difference accepted
audit-orphan_delete = Deletion of what nobody owns
audit-job_rerun = Job re-run
audit-job_roll_back = Job rolled back
audit-job_marked_done = Step marked as done
audit-job_stop_asked = Job stopped
audit-job_bypass = Job let run in spite of maintenance
audit-look_as = Looked as a customer
audit-maintenance_begin = Maintenance begun
audit-maintenance_end = Maintenance ended
audit-catalogue_change = Catalogue changed
denial-no-maintenance = Nothing is paused.
denial-let-through = It was let through already.
job-do-bypass = Run in spite of maintenance
job-done-bypass = It runs in spite of the maintenance.
job-bypass-means = Nothing else is taken up while the maintenance lasts. This job starts as soon as nothing of its customer is in its way.

# Catalogue
nav-catalogue = Catalogue
catalogue-templates = Systems
catalogue-panels = Panels
catalogue-prices = Prices
catalogue-limits = Limits
catalogue-prices-title = Prices and limits
catalogue-offered = Offered
catalogue-withdrawn = Withdrawn
catalogue-channel = Channel
catalogue-least = At least
catalogue-add = Add a system
catalogue-family = Family
catalogue-withdraw-template = Withdrawn: ordered no more, servers made from it stay
catalogue-no-panels-title = No panels
catalogue-no-panels = The catalogue names none.
catalogue-matrix = Which panel runs on which system
catalogue-runs = runs
catalogue-runs-not = does not run
catalogue-runs-on = Runs on
catalogue-days = Offered
catalogue-since = from
catalogue-range = { $min } to { $max }, in steps of { $step }
catalogue-min = Least
catalogue-max = Most
catalogue-step = Step
catalogue-edit-prices = Change prices
catalogue-edit-limits = Change limits
catalogue-prices-hint = A month, in roubles. Servers that are there keep their price until they are resized.
catalogue-from-hint = The day from which it holds. Empty: from now on.
catalogue-look = See what it would do
catalogue-save = Save
catalogue-saved = The change is written down.
catalogue-touches = { $n ->
    [one] It affects { $n } unfinished order.
   *[other] It affects { $n } unfinished orders.
}
catalogue-touches-means = Whoever has one open is told before ordering.
catalogue-samples = Three servers, a month
catalogue-before = Now
catalogue-after = Then
catalogue-change = Difference
catalogue-pending = To come
catalogue-begun = Changed lately
catalogue-withdraw = Take back
catalogue-withdrawn-change = The change was taken back before it began.
catalogue-withdraw-late = It has begun already, or was taken back. Change it once more instead.
audit-catalogue_withdraw = Change of the catalogue taken back
denial-step-not-again = A step after it cannot be done once more.
job-rerun-otherwise = From another step, or with something chosen anew…
job-from = From which step
job-from-failed = where it failed
job-repeats = { $n ->
    [one] { $n } finished step is done once more
   *[other] { $n } finished steps are done once more
}
job-no-repeat = { $step } cannot be done once more.
job-other-edge = Take another edge; this one stays out of the pool
job-template = Made from
job-tries = { $n ->
    [one] { $n } event
   *[other] { $n } events
}
log-find = Find in the output
log-found = { $n } of { $all } lines
log-follow = Follow the end
log-from-start = Read from the beginning
log-utc = Times in UTC
log-own-time = Times in my zone
