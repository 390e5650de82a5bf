"""The worker: the clock that queues what is due, and the threads that run checks. One in every process that works.

service.py     a worker: started, stopped                 clock.py      APScheduler: tick and tidy
dispatcher.py  claims lanes, keeps leases, stops          probers.py    the threads that probe
storing.py     one thread that stores what was seen       lanes.py      a leased lane
inline.py      the same without threads: for tests and the command line
"""

from sevtracker.worker.inline import drain, run_check
from sevtracker.worker.service import Worker

__all__ = ["Worker", "drain", "run_check"]
