// aws_model.js -- a request of AWS's JSON or query protocol read as strictly as AWS's own model describes it (botocore's, of Debian's awscli).
//
//   const input = read('sqs', { headers, body })      { action, input }      throws Refusal: [status, code, message]
//
// Nothing that the model does not name is let in, nothing that it wants may be missing, and texts, lists and numbers keep to its limits.
'use strict';
const fs = require('node:fs');
const path = require('node:path');

const DATA = '/usr/lib/python3/dist-packages/botocore/data';
const models = {};

class Refusal extends Error {
	constructor(status, code, message) {
		super(message);
		Object.assign(this, { status, code });
	}
}
const invalid = (message) => { throw new Refusal(400, 'ValidationException', message); };

function model(service) {
	if (!models[service]) {
		const versions = fs.readdirSync(path.join(DATA, service)).sort();
		models[service] = JSON.parse(fs.readFileSync(path.join(DATA, service, versions.pop(), 'service-2.json'), 'utf8'));
	}
	return models[service];
}

// What is the same for all scalars of a model: {min, max, pattern, enum}.
function limits(shape, value, size, where) {
	if (shape.min !== undefined && size < shape.min)
		invalid(`${where} is below ${shape.min}`);
	if (shape.max !== undefined && size > shape.max)
		invalid(`${where} is above ${shape.max}`);
	if (shape.pattern && typeof value === 'string' && !new RegExp(`^(?:${shape.pattern})$`, 'su').test(value))
		invalid(`${where} does not match ${shape.pattern}: ${value}`);
	if (shape.enum && !shape.enum.includes(value))
		invalid(`${where} is none of ${shape.enum.join(' ')}`);
	return value;
}

const scalars = {
	string: (v) => typeof v === 'string',
	boolean: (v) => typeof v === 'boolean',
	integer: Number.isSafeInteger,
	long: Number.isSafeInteger,
	double: (v) => typeof v === 'number' && Number.isFinite(v),
	float: (v) => typeof v === 'number' && Number.isFinite(v),
	timestamp: (v) => typeof v === 'number',
	blob: (v) => typeof v === 'string' && Buffer.from(v, 'base64').toString('base64') === v,
};

// A value of JSON; the answer has blobs as bytes.
function check(m, name, value, where) {
	const shape = m.shapes[name];
	if (shape.type === 'structure') {
		if (typeof value !== 'object' || value === null || Array.isArray(value))
			invalid(`${where} is no structure`);
		for (const key of shape.required || [])
			if (value[key] === undefined)
				invalid(`${where}.${key} is missing`);
		return Object.fromEntries(Object.entries(value).map(([key, v]) => {
			if (!shape.members[key])
				invalid(`${where}.${key} is unknown`);
			return [key, check(m, shape.members[key].shape, v, `${where}.${key}`)];
		}));
	}
	if (shape.type === 'list') {
		if (!Array.isArray(value))
			invalid(`${where} is no list`);
		limits(shape, value, value.length, where);
		return value.map((v, i) => check(m, shape.member.shape, v, `${where}[${i}]`));
	}
	if (shape.type === 'map')
		return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, check(m, shape.value.shape, v, `${where}.${k}`)]));
	if (!scalars[shape.type](value))
		invalid(`${where} is no ${shape.type}`);
	const real = shape.type === 'blob' ? Buffer.from(value, 'base64') : value;
	return limits(shape, real, typeof real === 'number' ? real : real.length, where);
}

// -- the query protocol: names with dots become a tree, as the model has it --

const parse = {
	string: (s) => s,
	boolean: (s) => ({ true: true, false: false })[s],
	integer: Number, long: Number, double: Number, float: Number,
	timestamp: (s) => (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(s) ? Date.parse(s) / 1000 : undefined),
	blob: (s) => s,
};

// Takes what begins with `prefix` out of `form`.
function unflatten(m, name, form, prefix) {
	const shape = m.shapes[name], dot = prefix ? `${prefix}.` : '';
	if (shape.type === 'structure') {
		const out = {};
		for (const [key, member] of Object.entries(shape.members)) {
			const target = m.shapes[member.shape], flat = target.flattened && target.member && target.member.locationName;
			const value = unflatten(m, member.shape, form, dot + (flat || member.locationName || key));
			if (value !== undefined)
				out[key] = value;
		}
		return !prefix || Object.keys(out).length ? out : undefined;
	}
	if (shape.type === 'list') {
		const at = shape.flattened ? prefix : `${prefix}.${(shape.member && shape.member.locationName) || 'member'}`, list = [];
		for (let i = 1; [...form.keys()].some((k) => k === `${at}.${i}` || k.startsWith(`${at}.${i}.`)); i++)
			list.push(unflatten(m, shape.member.shape, form, `${at}.${i}`));
		return list.length ? list : undefined;
	}
	if (shape.type === 'map' || !form.has(prefix))
		return undefined;
	const value = parse[shape.type](form.get(prefix));
	form.delete(prefix);
	return value;
}

function readQuery(m, request) {
	if (!/^application\/x-www-form-urlencoded(; charset=utf-8)?$/.test(request.headers['content-type']))
		throw new Refusal(400, 'MalformedInput', 'no form');
	if (!/^[A-Za-z0-9._~%=&+-]*$/.test(request.body))
		throw new Refusal(400, 'MalformedQueryString', 'what had to be encoded is not');
	const form = new Map();
	for (const pair of String(request.body).split('&')) {
		const [key, value] = pair.split('=').map((s) => decodeURIComponent(s.replace(/\+/g, ' ')));
		if (value === undefined || form.has(key))
			throw new Refusal(400, 'MalformedQueryString', pair);
		form.set(key, value);
	}
	const action = form.get('Action');
	if (!m.operations[action] || form.get('Version') !== m.metadata.apiVersion)
		throw new Refusal(400, 'InvalidAction', `${action} ${form.get('Version')}`);
	form.delete('Action');
	form.delete('Version');
	const input = unflatten(m, m.operations[action].input.shape, form, '');
	if (form.size)
		throw new Refusal(400, 'InvalidParameter', `unknown: ${[...form.keys()]}`);
	return { action, input };
}

function readJson(m, request) {
	const [prefix, action] = (request.headers['x-amz-target'] || '').split('.');
	if (request.headers['content-type'] !== `application/x-amz-json-${m.metadata.jsonVersion}` || prefix !== m.metadata.targetPrefix || !m.operations[action])
		throw new Refusal(400, 'UnknownOperationException', `${request.headers['content-type']} ${request.headers['x-amz-target']}`);
	try {
		return { action, input: JSON.parse(request.body) };
	} catch {
		throw new Refusal(400, 'SerializationException', String(request.body));
	}
}

function read(service, request) {
	const m = model(service), { action, input } = (m.metadata.protocol === 'json' ? readJson : readQuery)(m, request);
	return { action, input: check(m, m.operations[action].input.shape, input, action) };
}

module.exports = { read, model, Refusal };
