// The sandbox as the scripts see it: its address, its control API, the person at its consent page, and the tally of what was compared.
'use strict';

const URL_OF_SANDBOX = process.env.SANDBOX_URL;
const REDIRECT = 'http://localhost:8787/callback';
const SECRET = 'sandbox-secret';

/** Status, headers and text of an answer, whatever it is; no redirect is followed. */
async function call(method, address, { body, headers } = {}) {
  const answer = await fetch(address, { method, body, headers, redirect: 'manual' });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}

/** Asks the control API; `path` is what follows /_control/. */
async function control(method, path, body) {
  const sent = body === undefined ? undefined : JSON.stringify(body);
  const answer = await call(method, `${URL_OF_SANDBOX}/_control/${path}`, { body: sent, headers: { 'content-type': 'application/json' } });
  if (answer.status >= 300) throw new Error(`the control API refused ${path} (${answer.status}): ${answer.text}`);
  return JSON.parse(answer.text);
}

async function companies(face) {
  return (await control('GET', 'companies')).companies.filter((company) => company.face === face);
}

/** The address that the browser is sent back to from the consent page. */
async function consent(authorize, { answer = 'approve', company } = {}) {
  const address = new URL(authorize);
  address.searchParams.set('auto', answer);
  if (company) address.searchParams.set('company', company);
  const { status, headers, text } = await call('GET', address);
  const back = headers.get('location');
  if (!back || !back.startsWith(REDIRECT)) throw new Error(`the consent page did not lead back (${status}): ${text.slice(0, 400)}`);
  return back;
}

/** Runs checks one after another, each to its end, and says how many calls, records and fields were looked at. */
class Suite {
  constructor() {
    this.records = 0;
    this.fields = 0;
    this.checks = 0;
    this.wrong = new Map();
  }

  differs(kind, example) {
    const [count, first] = this.wrong.get(kind) ?? [0, example];
    this.wrong.set(kind, [count + 1, first]);
  }

  check(holds, sentence, example = '') {
    this.checks += 1;
    if (!holds) this.differs(sentence, example);
  }

  equal(found, expected, sentence) {
    const [a, b] = [JSON.stringify(found), JSON.stringify(expected)];
    this.check(a === b, sentence, `${a}, expected ${b}`);
  }

  /** The error that `attempt` ends with. */
  async refused(attempt, sentence) {
    this.checks += 1;
    try {
      this.differs(`${sentence}: not refused`, await attempt());
      return {};
    } catch (error) {
      return error;
    }
  }

  /** Everything that was sent is kept; `dropped` names the fields (by the end of their path) that the library is known to lose. */
  faithful(sent, kept, path, dropped = []) {
    if (Array.isArray(sent)) {
      if (!Array.isArray(kept) || sent.length !== kept.length) this.differs(`${path} has another number of elements`, [sent.length, kept?.length]);
      sent.forEach((before, place) => this.faithful(before, kept?.[place], `${path}[]`, dropped));
    } else if (sent !== null && typeof sent === 'object') {
      for (const [name, value] of Object.entries(sent)) {
        const place = `${path}.${name}`;
        if (dropped.some((end) => place.endsWith(end))) continue;
        if (kept === null || typeof kept !== 'object' || kept[name] === undefined) {
          this.fields += 1;
          this.differs(`${place} is lost`, value);
        } else {
          this.faithful(value, kept[name], place, dropped);
        }
      }
    } else {
      this.fields += 1;
      if (sent !== kept) this.differs(`${path} is another`, [sent, kept]);
    }
  }

  async run(...parts) {
    for (const part of parts) {
      try {
        await part(this);
      } catch (error) {
        this.differs(`${part.name} broke off`, error?.stack ?? error);
      }
    }
    const calls = Object.values((await control('GET', 'calls')).by_face).reduce((sum, count) => sum + count, 0);
    console.log('COUNTS ' + JSON.stringify({ calls, records: this.records, fields: this.fields, checks: this.checks }));
    for (const [kind, [count, first]] of [...this.wrong].slice(0, 100)) {
      console.log(`WRONG ${kind}, ${count} times, first ${typeof first === 'string' ? first : JSON.stringify(first)}`);
    }
    process.exit(this.wrong.size ? 1 : 0);
  }
}

module.exports = { URL: URL_OF_SANDBOX, REDIRECT, SECRET, call, control, companies, consent, Suite };
