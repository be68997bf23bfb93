"""Every JSON answer of the Accounting API that can be had by GET is held against the schema of Xero's published interface description."""

import collections
import json
import os
import re
import urllib.parse

import yaml
from openapi_schema_validator import OAS30Validator, oas30_format_checker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

from sandbox import URL, Suite, call, companies
from xero_client import Connected

# Where the description contradicts answers that were recorded, and the libraries generated from it read them nevertheless: place, and what it says.
WRONG_IN_DESCRIPTION = (
)


class Plain(yaml.CSafeLoader):
    """Leaves what looks like a moment as the text it is."""


Plain.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in known if tag != "tag:yaml.org,2002:timestamp"] for first, known in Plain.yaml_implicit_resolvers.items()
}

with open(os.environ["XERO_DESCRIPTION"], encoding="utf-8") as description:
    DESCRIPTION = yaml.load(description, Plain)
NAME = "urn:description"
REGISTRY = Registry().with_resource(NAME, Resource(contents=DESCRIPTION, specification=DRAFT4))
ONE = Connected()


def pointer(*parts):
    return NAME + "#/" + "/".join(urllib.parse.quote(part.replace("~", "~0").replace("/", "~1")) for part in parts)


def found(place):
    part = DESCRIPTION
    for name in place:
        part = part.get(name, {})
    return part


def validator(path, status):
    """The validator of an operation's JSON answer, if the description has one."""
    if status == 400:
        # said of writing only, but the form is one
        place = ("components", "responses", "400Error")
    else:
        place = ("paths", path, "get", "responses", str(status))
    answer = found(place)
    if "$ref" in answer:
        place = tuple(answer["$ref"].removeprefix("#/").split("/"))
        answer = found(place)
    if "application/json" not in answer.get("content", {}):
        return None
    return OAS30Validator({"$ref": pointer(*place, "content", "application/json", "schema")}, registry=REGISTRY, format_checker=oas30_format_checker)


def ask(tenant, path, query):
    headers = {"Authorization": f"Bearer {ONE.token['access_token']}", "Accept": "application/json", "Xero-Tenant-Id": tenant}
    status, answered, text = call("GET", f"{URL}/api.xro/2.0{path}?{urllib.parse.urlencode(query)}", headers=headers)
    return status, json.loads(text) if "json" in answered.get("content-type", "") else None


class Answers:
    """What was asked and answered, by path."""

    def __init__(self):
        self.by_path = collections.Counter()
        self.absent = set()

    def examine(self, suite, tenant, path, parameters, query):
        """Asks and holds the answer against the description; the JSON of a good answer."""
        filled = path
        for name, value in parameters.items():
            filled = filled.replace("{" + name + "}", urllib.parse.quote(str(value)))
        status, body = ask(tenant, filled, query)
        if status in (404, 501):
            self.absent.add(path)
            return None
        judge = validator(path, status)
        if body is None or judge is None:
            return body
        self.by_path[path, status] += 1
        suite.records += 1
        suite.fields += leaves(body)
        for error in judge.iter_errors(body):
            place = re.sub(r"\d+", "", ".".join(str(part) for part in error.absolute_path)).replace("..", "[].")
            if not any(place.endswith(end) and about in error.message for end, about in WRONG_IN_DESCRIPTION):
                suite.differs(f"{path} {status}: {place}: {error.validator}", error.message[:200])
        return body if status == 200 else None


def leaves(value):
    if isinstance(value, dict):
        return sum(map(leaves, value.values()))
    return sum(map(leaves, value)) if isinstance(value, list) else 1


def query_of(path):
    """The query parameters of the path that are required, and pages where there are any."""
    wanted = {}
    for parameter in DESCRIPTION["paths"][path]["get"].get("parameters", []) + DESCRIPTION["paths"][path].get("parameters", []):
        name = parameter.get("$ref", parameter.get("name", "")).rsplit("/", 1)[-1]
        if name == "page":
            wanted["page"] = 1
    return wanted


def by_lists_first(path):
    return (path.count("{"), path)


def every_path(suite):
    answers = Answers()
    offered = set()
    paths = sorted((path for path, operations in DESCRIPTION["paths"].items() if "get" in operations), key=by_lists_first)
    for tenant in (company["id"] for company in companies("xero")):
        listed = {}
        for path in paths:
            names = re.findall(r"\{(\w+)\}", path)
            if path.startswith("/Reports/") or path == "/Setup":
                continue
            if not names:
                for query in [query_of(path), {}] if query_of(path) else [{}]:
                    body = answers.examine(suite, tenant, path, {}, query)
                    if body is not None:
                        key = next((key for key, value in body.items() if isinstance(value, list) and key != "Warnings"), None)
                        listed.setdefault(path, body.get(key) or [])
                continue
            resource = path.split("/{")[0]
            for row in (listed.get(resource) or [])[:3] + (listed.get(resource) or [])[-2:]:
                first = names[0]
                identity = row.get(first) or row.get(first[:1].upper() + first[1:]) or row.get({"TaxType": "TaxType"}.get(first, resource.strip("/").removesuffix("s") + "ID"))
                if identity is None or len(names) > 1:
                    continue
                answers.examine(suite, tenant, path, {first: identity}, {})
        contact = listed["/Contacts"][0]["ContactID"]
        for path in (path for path in paths if path.startswith("/Reports/") and "{" not in path):
            for query in ({"date": "2026-06-30"}, {"fromDate": "2026-06-01", "toDate": "2026-06-30"}, {"date": "2026-06-30", "periods": 2, "timeframe": "MONTH"}):
                answers.examine(suite, tenant, path, {}, query | {"contactId": contact, "contactID": contact, "reportYear": "2025"})
        for query in ({"where": "Nonsense ~ 4"}, {"IDs": "no-guid"}, {"page": "0"}):
            answers.examine(suite, tenant, "/Invoices", {}, query)
        offered |= {path for path, status in answers.by_path if status == 200}
    held = sum(count for (_, status), count in answers.by_path.items() if status == 200)
    refused = sum(count for (_, status), count in answers.by_path.items() if status != 200)
    print(f"{len(offered)} paths, {held} good answers and {refused} refusals held against the description")
    print("not offered: " + ", ".join(sorted(answers.absent - offered)))
    suite.check(refused >= 4, f"only {refused} refusals were met")
    suite.check(len(offered) >= 80, f"only {len(offered)} paths were answered: {sorted(offered)}")


def spoiled_answers(suite):
    """The description finds what is wrong in an answer: else nothing above would mean anything."""
    tenant = companies("xero")[0]["id"]
    _, body = ask(tenant, "/Invoices", {"page": 1})
    judge = validator("/Invoices", 200)
    suite.check(judge.is_valid(body), "as it came")
    for name, value in (("Status", "SETTLED"), ("Total", "12.00"), ("InvoiceID", 5), ("LineItems", {}), ("HasAttachments", "false"), ("Contact", "Ada")):
        spoiled = json.loads(json.dumps(body))
        spoiled["Invoices"][-1][name] = value
        suite.check(not judge.is_valid(spoiled), f"{name} = {value!r} is found")


Suite().run(every_path, spoiled_answers)
