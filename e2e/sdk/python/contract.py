"""Asks the JSON API what its document allows and what it forbids, and ends with how much was asked.

contract.py DOCUMENT URL EXAMPLES PHASES: so many requests of each phase for each operation. The key is in TIEOUT_KEY, the seed in CONTRACT_SEED.
"""

import os
import re
import subprocess
import sys
import tempfile

document, url, examples, phases = sys.argv[1:5]
command = [
    os.path.join(os.path.dirname(sys.executable), "schemathesis"),
    "run",
    document,
    "--url", url,
    "--header", "Authorization: Bearer " + os.environ["TIEOUT_KEY"],
    "--phases", phases,
    "--max-examples", examples,
    "--seed", os.environ.get("CONTRACT_SEED", "1"),
    # a document cannot say which ids, cursors and idempotency keys are known to a server
    "--exclude-checks", "positive_data_acceptance",
    "--continue-on-failure",
    "--no-shrink",
    # two threads that parse at once end CPython 3.11 with a SystemError (python/cpython#106905)
    "--workers", "1",
    "--request-timeout", "60",
    "--warnings", "off",
    "--no-color",
]
# it keeps what it learns in the folder it runs in
with tempfile.TemporaryDirectory() as folder:
    finished = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
print(finished.stdout)
counted = re.search(r"Test cases:\s+([\d,]+) generated", finished.stdout)
print("CASES", counted.group(1).replace(",", "") if counted else 0)
sys.exit(finished.returncode)
