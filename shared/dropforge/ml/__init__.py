"""Features, fitting, scoring and judging with scikit-learn.

OpenMP's threads spin while they wait for one another, which on shared cores keeps the one they wait for from running:
a fit of 150,000 rows beside two other processes on two cores took 97 s, and 2.8 s when they sleep instead. OpenMP reads
this once, when scikit-learn loads it, so it stands before any import of it.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
