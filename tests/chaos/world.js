// world.js -- the registry under chaos: what each of a few units must look like after every answer, and whether it does.
//
// A unit is a thing, a certificate, a policy and what binds them. One operator works on it, one operation at a time, so that after a broker's
// death it is as before the unanswered operation or as after it, and nothing else. An error answered means that nothing of it happened.
'use strict';
const assert = require('node:assert/strict');
const pki = require('../harness/pki');
const { sleep, until } = require('../harness/test');
const { ALLOW_ALL } = require('../harness/broker');
const { Operator } = require('../harness/control');

/* Of a shared store: the server was asked and did not say. */
const UNKNOWN = /did not answer in time/;
const STATUSES = ['ACTIVE', 'INACTIVE', 'REVOKED'];
const EMPTY = { thing: null, shadow: null, certificate: null, policy: null, versions: [], attached: false, principal: false };

const policy = (n) => JSON.stringify({ ...ALLOW_ALL, Statement: [{ Sid: `n${n}`, ...ALLOW_ALL.Statement[0] }] });
const attributes = (n) => ({ attributePayload: { attributes: { n: String(n) } } });

// name: [when it is valid, its input, what is so afterwards]; s is the state, u the unit, n a number never used before.
const OPERATIONS = {
	CreateThing: [(s) => !s.thing, (s, u, n) => ({ thingName: u.name, ...attributes(n) }), (s, n) => ({ thing: n })],
	UpdateThing: [(s) => s.thing, (s, u, n) => ({ thingName: u.name, ...attributes(n) }), (s, n) => ({ thing: n })],
	DeleteThing: [(s) => s.thing && !s.principal, (s, u) => ({ thingName: u.name }), () => ({ thing: null, shadow: null })],
	UpdateThingShadow: [(s) => s.thing, (s, u, n) => ({ thingName: u.name, payload: { state: { desired: { n } } } }), (s, n) => ({ shadow: n })],
	RegisterCertificateWithoutCA: [(s) => !s.certificate, (s, u) => ({ certificatePem: u.certificate.pem, status: 'ACTIVE' }), () => ({ certificate: 'ACTIVE' })],
	UpdateCertificate: [(s) => s.certificate, (s, u, n) => ({ certificateId: u.certificate.id, newStatus: STATUSES[n % 3] }),
		(s, n) => ({ certificate: STATUSES[n % 3] })],
	DeleteCertificate: [(s) => s.certificate && s.certificate !== 'ACTIVE' && !s.attached && !s.principal, (s, u) => ({ certificateId: u.certificate.id }),
		() => ({ certificate: null })],
	CreatePolicy: [(s) => !s.policy, (s, u, n) => ({ policyName: u.name, policyDocument: policy(n) }), (s, n) => ({ policy: n, versions: [1] })],
	CreatePolicyVersion: [(s) => s.policy && s.versions.length < 5, (s, u, n) => ({ policyName: u.name, policyDocument: policy(n), setAsDefault: true }),
		(s, n) => ({ policy: n, versions: [...s.versions, s.versions.at(-1) + 1] })],
	DeletePolicyVersion: [(s) => s.versions.length > 1, (s, u) => ({ policyName: u.name, policyVersionId: String(s.versions[0]) }),
		(s) => ({ versions: s.versions.slice(1) })],
	DeletePolicy: [(s) => s.versions.length === 1 && !s.attached, (s, u) => ({ policyName: u.name }), () => ({ policy: null, versions: [] })],
	AttachPolicy: [(s) => s.certificate && s.policy && !s.attached, (s, u) => ({ policyName: u.name, target: u.arn }), () => ({ attached: true })],
	DetachPolicy: [(s) => s.attached, (s, u) => ({ policyName: u.name, target: u.arn }), () => ({ attached: false })],
	AttachThingPrincipal: [(s) => s.thing && s.certificate && !s.principal, (s, u) => ({ thingName: u.name, principal: u.arn }), () => ({ principal: true })],
	DetachThingPrincipal: [(s) => s.principal, (s, u) => ({ thingName: u.name, principal: u.arn }), () => ({ principal: false })],
};

// What is asked about a unit, and how the answers become a state. Absent is what AWS calls ResourceNotFound.
const number = (text) => Number(/\d+/.exec(text)[0]);
const QUESTIONS = [
	['DescribeThing', (u) => ({ thingName: u.name }), (d) => ({ thing: d && Number(d.attributes.n) })],
	['GetThingShadow', (u) => ({ thingName: u.name }), (d) => ({ shadow: d && (d.payload || d).state.desired.n })],
	['DescribeCertificate', (u) => ({ certificateId: u.certificate.id }), (d) => ({ certificate: d && d.certificateDescription.status })],
	['GetPolicy', (u) => ({ policyName: u.name }), (d) => ({ policy: d && number(JSON.parse(d.policyDocument).Statement[0].Sid) })],
	['ListPolicyVersions', (u) => ({ policyName: u.name }), (d) => ({ versions: d ? d.policyVersions.map((v) => Number(v.versionId)).sort((a, b) => a - b) : [] })],
	['ListAttachedPolicies', (u) => ({ target: u.arn }), (d, u) => ({ attached: Boolean(d && d.policies.some((p) => p.policyName === u.name)) })],
	['ListThingPrincipals', (u) => ({ thingName: u.name }), (d, u) => ({ principal: Boolean(d && d.principals.includes(u.arn)) })],
];

const absent = (r) => r.status === 404;

class Unit {
	constructor(name) {
		this.name = name;
		this.certificate = pki.certificate(name);
		this.arn = `arn:aws:iot:us-east-1:123456789012:cert/${this.certificate.id}`;
		this.state = EMPTY;
		this.maybe = null; // what it is if the unanswered operation happened
		this.unsure = false; // the answer was that nobody knows: it is left alone until it was looked at
	}

	async look(operator) {
		const commands = QUESTIONS.map(([command, input]) => ({ command, ...input(this) }));
		const { responses } = await operator.raw({ commands });
		const found = responses.map((r, i) => {
			assert.ok(r.error === undefined || absent(r), `${this.name}: ${r.command} answers ${r.code} ${r.error}`);
			return QUESTIONS[i][2](r.error === undefined ? r.data : null, this);
		});
		return Object.assign({}, EMPTY, ...found);
	}

	// A deleted thing's shadow goes by an event after the answer, which a restart repeats.
	async check(operator) {
		const same = (a, b) => { try { assert.deepEqual(a, b); return true; } catch (e) { return false; } };
		const all = [this.state, this.maybe].filter(Boolean);
		let found;
		const what = () => `${this.name} to be ${all.map((s) => JSON.stringify(s)).join(' or ')} after ${this.last}; it is ${JSON.stringify(found)}`;
		await until(what, async () => { found = await this.look(operator); return all.some((s) => same(s, found)); });
		this.state = found;
		this.maybe = null;
		this.unsure = false;
	}

	get mayConnect() { return this.state.certificate === 'ACTIVE' && this.state.attached; }
}

class Registrar {
	constructor(stage, number, units) {
		Object.assign(this, { stage, units, answered: 0, refused: 0, serial: number * 1e7 });
		this.operator = null;
	}

	async connect(broker) {
		if (!this.operator || !this.operator.open) {
			this.operator = await Operator.connect(broker.socket);
			this.operator.client.on('message', () => {});
		}
	}

	async one(rng) {
		const sure = this.units.filter((x) => !x.unsure), u = sure[rng(sure.length || 1)], n = ++this.serial;
		if (!u)
			return;
		const s = u.state;
		const valid = Object.entries(OPERATIONS).filter(([, [when]]) => when(s));
		const [name, [, input, then]] = valid[rng(valid.length)];
		const after = { ...s, ...then(s, n) };
		u.last = name;
		u.maybe = after;
		const r = await this.operator.respond(name, input(s, u, n));
		u.unsure = r.error !== undefined && UNKNOWN.test(r.error);
		if (!u.unsure)
			u.maybe = null;
		if (r.error === undefined)
			u.state = after;
		else
			assert.ok(r.status === 503 && this.stage.mayRefuse, `${u.name}: ${name} in the state ${JSON.stringify(s)} was answered ${r.code} ${r.status} ${r.error}`);
		this[r.error === undefined ? 'answered' : 'refused']++;
	}

	// Until the load ends or the connection does; an answer that does not come is a fault while the broker lives.
	async work(rng) {
		while (this.stage.loading && this.operator.open) {
			await this.operator.race((done) => this.one(rng).then(() => done(), done)).catch((e) => {
				if (e.code !== 'closed')
					throw e;
			});
			await sleep(2);
		}
	}
}

module.exports = { Unit, Registrar, UNKNOWN };
