// nkeys.js -- keys and JWTs of NATS, for a server with an operator: what its tool nsc would make.
//
//   const k = key('user', seed)         { seed, name, sign(bytes) }; seed: 32 bytes, by default random
//   operator()                          { conf, creds }: lines for the server, and the text of a user's .creds file
'use strict';
const crypto = require('node:crypto');

const KINDS = { operator: 14 << 3, account: 0, user: 20 << 3 }, SEED = 18 << 3;
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

function base32(bytes) {
	let bits = 0n, n = 0;
	for (const b of bytes) {
		bits = bits << 8n | BigInt(b);
		n += 8;
	}
	for (; n % 5; n++)
		bits <<= 1n;
	let text = '';
	for (; n; n -= 5)
		text += LETTERS[Number(bits >> BigInt(n - 5) & 31n)];
	return text;
}

function crc16(bytes) {
	let crc = 0;
	for (const b of bytes) {
		crc ^= b << 8;
		for (let i = 0; i < 8; i++)
			crc = (crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1) & 0xffff;
	}
	return Buffer.from([crc & 255, crc >> 8]);
}
const checked = (bytes) => base32(Buffer.concat([bytes, crc16(bytes)]));

function key(kind, seed = crypto.randomBytes(32)) {
	const prefix = KINDS[kind];
	const secret = crypto.createPrivateKey({ key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]), format: 'der', type: 'pkcs8' });
	const open = crypto.createPublicKey(secret).export({ format: 'der', type: 'spki' }).subarray(-32);
	return {
		seed: checked(Buffer.concat([Buffer.from([SEED | prefix >> 5, (prefix & 31) << 3]), seed])),
		name: checked(Buffer.concat([Buffer.from([prefix]), open])),
		sign: (bytes) => crypto.sign(null, Buffer.from(bytes), secret).toString('base64url'),
	};
}

function jwt(by, of, name, nats) {
	const part = (o) => Buffer.from(JSON.stringify(o)).toString('base64url');
	const text = `${part({ typ: 'JWT', alg: 'ed25519-nkey' })}.${part({ jti: crypto.randomUUID(), iat: 1700000000, iss: by.name, name, sub: of.name, nats: { ...nats, version: 2 } })}`;
	return `${text}.${by.sign(text)}`;
}

function operator() {
	const o = key('operator'), account = key('account'), user = key('user'), any = { subs: -1, data: -1, payload: -1 };
	const accountJwt = jwt(o, account, 'A', { type: 'account', limits: { ...any, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 }, default_permissions: { pub: {}, sub: {} } });
	return {
		conf: `operator: ${jwt(o, o, 'O', { type: 'operator' })}\nresolver: MEMORY\nresolver_preload: { ${account.name}: ${accountJwt} }\n`,
		creds: `-----BEGIN NATS USER JWT-----\n${jwt(account, user, 'U', { type: 'user', pub: {}, sub: {}, ...any })}\n------END NATS USER JWT------\n\n` +
			`-----BEGIN USER NKEY SEED-----\n${user.seed}\n------END USER NKEY SEED------\n`,
	};
}

module.exports = { key, operator };
