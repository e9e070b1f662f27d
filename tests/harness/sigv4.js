// sigv4.js -- Signature Version 4 as a client makes it, by node's crypto: the tests' own hand, so that they can forge.
//
//   const headers = sign(key, { method, path, host, headers, body })        all that is to be sent
//   const path = presign(key, { method, path, host, seconds })
//
// key: {accessKeyId, secretAccessKey}; `at` (ms), `region`, `service` may be given with the request.
'use strict';
const { createHash, createHmac } = require('node:crypto');

const hash = (data) => createHash('sha256').update(data).digest('hex');
const hmac = (key, data) => createHmac('sha256', key).update(data).digest();
const encode = (s) => encodeURIComponent(s).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
const stamp = (ms) => new Date(ms).toISOString().replace(/[-:]|\.\d+/g, '');

// The moment of a request is asked for once: between two looks at the clock a second may end, and its parts would not belong together.
const dated = (request) => ({ at: Date.now(), ...request });

function parts(request) {
	const { at, region = 'us-east-1', service = 'iot' } = request;
	const when = stamp(at), scope = `${when.slice(0, 8)}/${region}/${service}/aws4_request`;
	return { when, scope };
}

function signature(key, request, names, headers, query, payload) {
	const { when, scope } = parts(request);
	const path = request.path.split('?')[0];
	const pairs = query.map(([k, v]) => [encode(k), encode(v)]).sort((a, b) => (a[0] === b[0] ? (a[1] < b[1] ? -1 : 1) : a[0] < b[0] ? -1 : 1));
	const canonical = [request.method, path.split('/').map(encode).join('/'), pairs.map((p) => p.join('=')).join('&'),
		...names.map((n) => `${n}:${headers[n].trim().replace(/\s+/g, ' ')}`), '', names.join(';'), payload].join('\n');
	const text = ['AWS4-HMAC-SHA256', when, scope, hash(canonical)].join('\n');
	const day = scope.split('/').reduce((k, part) => hmac(k, part), `AWS4${key.secretAccessKey}`);
	return { signature: hmac(day, text).toString('hex'), day };
}

const queryOf = (path) => [...new URLSearchParams((path.split('?')[1] || '').replace(/\+/g, '%2B'))];

function sign(key, given) {
	const request = dated(given);
	const { when, scope } = parts(request);
	const headers = { host: request.host, 'x-amz-date': when };
	for (const [name, value] of Object.entries(request.headers || {}))
		headers[name.toLowerCase()] = value;
	const names = Object.keys(headers).filter((n) => !(request.leave || []).includes(n)).sort();
	const payload = headers['x-amz-content-sha256'] || hash(request.body || '');
	const made = signature(key, request, names, headers, queryOf(request.path), payload);
	return { ...headers, authorization: `AWS4-HMAC-SHA256 Credential=${key.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${made.signature}` };
}

function presign(key, given) {
	const request = dated(given);
	const { when, scope } = parts(request);
	const query = [...queryOf(request.path), ['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'], ['X-Amz-Credential', `${key.accessKeyId}/${scope}`],
		['X-Amz-Date', when], ['X-Amz-Expires', String(request.seconds)], ['X-Amz-SignedHeaders', 'host']];
	const made = signature(key, request, ['host'], { host: request.host }, query, hash(request.body || ''));
	return `${request.path.split('?')[0]}?${query.map(([k, v]) => `${encode(k)}=${encode(v)}`).join('&')}&X-Amz-Signature=${made.signature}`;
}

// A body in signed chunks, and the headers that go with it.
function chunked(key, given, chunks) {
	const request = dated(given);
	const { when, scope } = parts(request);
	const length = chunks.reduce((n, c) => n + Buffer.byteLength(c), 0);
	const headers = sign(key, { ...request, headers: { ...request.headers, 'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
		'x-amz-decoded-content-length': String(length), 'content-encoding': 'aws-chunked' } });
	const day = scope.split('/').reduce((k, part) => hmac(k, part), `AWS4${key.secretAccessKey}`);
	let before = headers.authorization.slice(-64), body = '';
	for (const chunk of [...chunks, '']) {
		before = hmac(day, ['AWS4-HMAC-SHA256-PAYLOAD', when, scope, before, hash(''), hash(chunk)].join('\n')).toString('hex');
		body += `${Buffer.byteLength(chunk).toString(16)};chunk-signature=${before}\r\n${chunk}\r\n`;
	}
	return { headers, body };
}

module.exports = { sign, presign, chunked };
