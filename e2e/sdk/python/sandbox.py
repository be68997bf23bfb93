"""The sandbox as the scripts see it: its address, its control API, the person at its consent page, and the tally of what was compared."""

import json
import os
import sys
import traceback
import urllib.error
import urllib.parse
import urllib.request

URL = os.environ["SANDBOX_URL"]
REDIRECT = "http://localhost:8787/callback"
SECRET = "sandbox-secret"


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


_OPENER = urllib.request.build_opener(_Stay)


def call(method, address, body=None, headers=None):
    """Status, headers and text of an answer, whatever it is."""
    data = body.encode() if isinstance(body, str) else body
    request = urllib.request.Request(address, data=data, method=method, headers=headers or {})
    try:
        with _OPENER.open(request) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.headers, refused.read().decode()


def control(method, path, body=None):
    """Asks the control API; `path` is what follows /_control/."""
    sent = None if body is None else json.dumps(body)
    status, _, text = call(method, f"{URL}/_control/{path}", sent, {"Content-Type": "application/json"})
    assert 200 <= status < 300, f"the control API refused {path} ({status}): {text}"
    return json.loads(text)


def companies(face):
    return [company for company in control("GET", "companies")["companies"] if company["face"] == face]


def consent(authorize, answer="approve", company=None):
    """What the browser brings back from the consent page: the parameters of the callback."""
    extra = {"auto": answer} | ({"company": company} if company else {})
    status, headers, text = call("GET", authorize + "&" + urllib.parse.urlencode(extra))
    assert status in (302, 303), f"the consent page did not lead back ({status}): {text[:400]}"
    back = urllib.parse.urlsplit(headers["Location"])
    assert headers["Location"].startswith(REDIRECT), headers["Location"]
    return dict(urllib.parse.parse_qsl(back.query, keep_blank_values=True))


class Suite:
    """Runs checks one after another, each to its end, and says how many calls, records and fields were looked at."""

    def __init__(self):
        self.records = 0
        self.fields = 0
        self.checks = 0
        self.wrong = []
        self.unfaithful = {}

    def check(self, holds, sentence):
        self.checks += 1
        if not holds:
            self.wrong.append(sentence)

    def equal(self, found, expected, sentence):
        self.check(found == expected, f"{sentence}: {found!r}, expected {expected!r}")

    def refused(self, kind, attempt, sentence):
        """The error of this kind that `attempt` ends with."""
        self.checks += 1
        try:
            done = attempt()
        except kind as error:
            return error
        self.wrong.append(f"{sentence}: it was not refused but answered {done!r}")
        return None

    def faithful(self, sent, kept, path, dropped=()):
        """Everything that was sent is kept; `dropped` names the fields (by the end of their path) that the library is known to lose."""
        if isinstance(sent, dict) and isinstance(kept, dict):
            for name, value in sent.items():
                place = f"{path}.{name}"
                if any(place.endswith(end) for end in dropped):
                    continue
                if name not in kept:
                    self.fields += 1
                    self.differs(f"{place} is lost", value)
                else:
                    self.faithful(value, kept[name], place, dropped)
        elif isinstance(sent, list) and isinstance(kept, list):
            if len(sent) != len(kept):
                self.differs(f"{path} has another number of elements", f"{len(sent)} became {len(kept)}")
            for before, after in zip(sent, kept):
                self.faithful(before, after, f"{path}[]", dropped)
        else:
            self.fields += 1
            same = sent == kept and isinstance(sent, bool) == isinstance(kept, bool)
            if not same:
                self.differs(f"{path} is another", f"{sent!r} became {kept!r}")

    def differs(self, kind, example):
        count, first = self.unfaithful.get(kind, (0, example))
        self.unfaithful[kind] = (count + 1, first)

    def run(self, *parts):
        for part in parts:
            try:
                part(self)
            except Exception:
                self.wrong.append(f"{part.__name__} broke off:\n{traceback.format_exc()}")
        calls = sum(control("GET", "calls")["by_face"].values())
        counts = {"calls": calls, "records": self.records, "fields": self.fields, "checks": self.checks}
        print("COUNTS " + json.dumps(counts))
        unfaithful = [f"{kind}, {count} times, first {example!r}" for kind, (count, example) in self.unfaithful.items()]
        for sentence in (list(dict.fromkeys(self.wrong)) + unfaithful)[:100]:
            print("WRONG " + sentence)
        sys.exit(1 if self.wrong or unfaithful else 0)
