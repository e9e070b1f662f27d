// sigv4.js -- Signature Version 4 as a client makes it, by node's crypto: the tests' own hand, so that they can forge.
//
//   const headers = sign(key, { method, path, host, headers, body })        all that is to be sent
//   const path = presign(key, { method, path, host, seconds })
//
// key: {accessKeyId, secretAccessKey}; `at` (ms), `region`, `service`, `s3` (its paths are encoded once) may be given with the request.
//
//   verify(key, { method, path, headers, body })        null, or in AWS's words why a signature in the headers does not hold: [status, code, message]
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
	const canonical = [request.method, request.s3 ? path : path.split('/').map(encode).join('/'), pairs.map((p) => p.join('=')).join('&'),
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

// Of a request that came: what it claims is made again with our own hand and compared.
function verify(key, request, now = Date.now()) {
	const h = request.headers, claim = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([a-z0-9-]+)\/([a-z0-9-]+)\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$/
		.exec(h.authorization || '');
	const when = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(h['x-amz-date'] || '');
	if (!claim || !when)
		return [403, 'MissingAuthenticationToken', 'Missing Authentication Token'];
	const [, id, date, region, service, names, signature] = claim;
	const at = Date.UTC(when[1], when[2] - 1, when[3], when[4], when[5], when[6]);
	if (id !== key.accessKeyId)
		return [403, 'InvalidClientTokenId', 'The security token included in the request is invalid.'];
	if (Math.abs(at - now) > 300000)
		return [403, 'RequestTimeTooSkewed', 'The difference between the request time and the current time is too large.'];
	if (key.sessionToken !== h['x-amz-security-token'])
		return [403, 'InvalidClientTokenId', 'The security token included in the request is invalid.'];
	const all = names.split(';'), needed = ['host', 'x-amz-date', ...Object.keys(h).filter((n) => n.startsWith('x-amz-'))];
	if (!needed.every((n) => all.includes(n)) || date !== h['x-amz-date'].slice(0, 8))
		return [403, 'IncompleteSignature', 'host and all x-amz- headers must be signed'];
	if (h['x-amz-content-sha256'] && h['x-amz-content-sha256'] !== hash(request.body))
		return [400, 'XAmzContentSHA256Mismatch', 'The provided x-amz-content-sha256 header does not match what was computed.'];
	const again = sign(key, { ...request, at, region, service, s3: service === 's3', host: h.host,
		headers: Object.fromEntries(all.filter((n) => n !== 'host' && n !== 'x-amz-date').map((n) => [n, h[n] || ''])) });
	return again.authorization.slice(-64) === signature ? null : [403, 'SignatureDoesNotMatch', 'The request signature we calculated does not match.'];
}

module.exports = { sign, presign, chunked, verify };
