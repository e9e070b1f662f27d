// The sink `smtp` against npm's smtp-server: what a mail is, who may send it, and what each of the server's answers becomes.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { test } = require('../../harness/test');
const { drive } = require('../../harness/drive');
const pki = require('../../harness/pki');
const { freePort } = require('../../harness/ports');
const { listen } = require('../../harness/service');
const { mail } = require('../../harness/service_mail');

const ca = () => pki.authority().crt;
const sink = (t, fields, options) => drive(t, 'sink_http', 'smtp', { from: 'Hall 7 <hall@x.org>', to: 'op@y.org', ...fields }, { cafile: ca(), ...options });
const results = (list) => list.map((r) => r.result).join(' ');
const headersOf = (text) => Object.fromEntries(text.split('\r\n\r\n')[0].replace(/\r\n[ \t]/g, ' ').split('\r\n').map((l) => [l.slice(0, l.indexOf(':')), l.slice(l.indexOf(':') + 2)]));
const words = (s) => s.replace(/=\?UTF-8\?B\?([^?]*)\?=( (?==\?))?/g, (_, b) => Buffer.from(b, 'base64').toString());
const bodyOf = (m) => m.text.slice(m.text.indexOf('\r\n\r\n') + 4);

test('a mail has the headers of the action and the payload as its body', async (t) => {
	const m = await mail(t), d = sink(t, { url: m.url, to: 'a@y.org, Bea <b@y.org>', subject: 'Zu hei\u00df \u2013 ' + 'sehr '.repeat(20).trim() });
	const texts = ['{"t":31}\n.\n..dots\n.', 'gr\u00fc\u00df dich\n', 'From x\n', '', 'x'.repeat(5000)];
	assert.equal(results(await d.send(...texts.map((payload) => ({ payload })))), 'ok ok ok ok ok');
	const [first, second, third, empty, long] = m.seen, h = headersOf(first.text);
	assert.deepEqual([first.from, first.to], ['hall@x.org', ['a@y.org', 'b@y.org']]);
	assert.deepEqual([h.From, h.To, words(h.Subject), h['Message-ID'], h['MIME-Version'], h['Content-Type'], h['Content-Transfer-Encoding']],
		['"Hall 7" <hall@x.org>', 'a@y.org, "Bea" <b@y.org>', 'Zu hei\u00df \u2013 ' + 'sehr '.repeat(20).trim(), `<${'1'.padStart(32, '0')}@x.org>`, '1.0', 'text/plain; charset=utf-8', '7bit']);
	assert.equal(Date.parse(h.Date), 1700000000000);
	assert.equal(bodyOf(first), '{"t":31}\r\n.\r\n..dots\r\n.\r\n');
	assert.deepEqual([second, long].map((one) => Buffer.from(bodyOf(one), 'base64').toString()), ['gr\u00fc\u00df dich\n', 'x'.repeat(5000)]);
	assert.deepEqual([bodyOf(third), bodyOf(empty)], ['From x\r\n', '']);
	assert.ok(m.seen.every((one) => one.text.split('\r\n').every((l) => l.length <= 998) && !/[^\r]\n|\r[^\n]/.test(one.text)));
	assert.equal(m.connections, 1);
	assert.equal(await d.end(), 0);
});

test('nothing that a message brings becomes a header or a command', async (t) => {
	const m = await mail(t), d = sink(t, { url: m.url });
	const bad = [{ subject: 'x\r\nBcc: evil@z.org' }, { subject: 'x\nBcc: evil@z.org' }, { from: 'a@x.org\r\nRCPT TO:<evil@z.org>' }, { to: 'a@y.org>\r\nDATA' }, { to: 'a@y.org> <evil@z.org' },
		{ contentType: 'text/plain\r\nX: y' }, { to: '' }, { to: 'nobody' }];
	assert.equal(results(await d.send(...bad.map((fields) => ({ fields })))), bad.map(() => 'fail').join(' '));
	assert.equal(m.seen.length, 0);
	assert.equal(results(await d.send({ payload: 'QUIT\r\n.\r\nMAIL FROM:<evil@z.org>' })), 'ok');
	assert.equal(m.seen.length, 1);
});

test('the words of the server: 5yz fails, 4yz comes again, and the next mail is sent', async (t) => {
	const m = await mail(t, { refuse: ({ stage, address, text }) => (address === 'nobody@y.org' ? '550 no such user here' : address === 'full@y.org' ? '452 mailbox full' :
		address === 'evil@x.org' ? '553 not you' : stage === 'data' && text.includes('SPAM') ? '554 looks like spam' : stage === 'data' && text.includes('LATER') ? '451 try later' : null) });
	const d = sink(t, { url: m.url });
	const answers = await d.send({ payload: '1' }, { fields: { to: 'nobody@y.org' } }, { fields: { to: 'op@y.org,nobody@y.org' } }, { fields: { to: 'full@y.org' } }, { fields: { from: 'evil@x.org' } },
		{ payload: 'SPAM' }, { payload: 'LATER' }, { payload: '2' });
	assert.equal(results(answers), 'ok fail fail retry fail fail retry ok');
	assert.deepEqual(answers.map((one) => one.why).filter((w) => w), ['550 no such user here', '550 no such user here', '452 mailbox full', '553 not you', '554 looks like spam', '451 try later']);
	assert.deepEqual(m.seen.map((one) => bodyOf(one)), ['1\r\n', '2\r\n']);
});

test('TLS: taken when it is offered, asked for when it must be, and verified', async (t) => {
	const open = await mail(t), without = await mail(t, { starttls: false }), secure = await mail(t, { secure: true });
	assert.equal(results(await sink(t, { url: open.url }).send({ payload: '1' })), 'ok');
	assert.equal(open.seen[0].tls, true);
	assert.equal(results(await sink(t, { url: open.url, startTls: 'never' }).send({ payload: '1' })), 'ok');
	assert.equal(open.seen[1].tls, false);
	assert.equal(results(await sink(t, { url: secure.url }).send({ payload: '1' })), 'ok');
	assert.equal(results(await sink(t, { url: without.url }).send({ payload: '1' })), 'ok');
	for (const [fields, options] of [[{ url: without.url, startTls: 'required' }, {}], [{ url: open.url, startTls: 'required' }, { cafile: pki.authority('other').crt }], [{ url: secure.url }, { cafile: pki.authority('other').crt }]]) {
		const [one] = await sink(t, fields, options).send({ payload: 'never seen' });
		assert.equal(one.result, 'retry');
		assert.match(one.why, /SSL|TLS|certificate/i);
	}
	assert.deepEqual([open.seen.length, without.seen.length, secure.seen.length], [2, 1, 1]);
});

test('user and password come from a secret, are never sent in clear text by default, and never told', async (t) => {
	const m = await mail(t, { auth: { user: 'writer', pass: 'sesame' } }), bare = await mail(t, { auth: { user: 'writer', pass: 'sesame' }, starttls: false });
	const file = path.join(pki.home(), 'mail-secrets');
	fs.writeFileSync(file, JSON.stringify({ mail: { user: 'writer', password: 'sesame' } }), { mode: 0o600 });
	const secret = (key) => `\${get_secret('mail', 'SecretString', '${key}')}`, fields = { user: secret('user'), password: secret('password') };
	assert.equal(results(await sink(t, { url: m.url, ...fields }, { secrets: file }).send({ payload: '1' })), 'ok');
	assert.deepEqual([m.seen[0].tls, m.seen[0].user], [true, 'writer']);
	assert.equal(results(await sink(t, { url: bare.url, ...fields }, { secrets: file }).send({ payload: '1' })), 'retry');
	assert.equal(results(await sink(t, { url: bare.url, ...fields, startTls: 'never' }, { secrets: file }).send({ payload: '1' })), 'ok');
	const [wrong] = await sink(t, { url: m.url, user: 'writer', password: 'wrong-one' }).send({ payload: '1' });
	assert.deepEqual([wrong.result, wrong.why], ['retry', 'the server does not take the user and the password']);
	const [none] = await sink(t, { url: m.url }).send({ payload: '1' });
	assert.deepEqual([none.result, none.why], ['retry', 'the server wants a user and a password']);
});

test('a server that is away, silent or none costs one time limit', async (t) => {
	const old = (c) => { c.write('220 old\r\n'); c.on('data', (d) => (/EHLO/.test(d) ? c.write('502 what?\r\n') : /HELO/.test(d) ? c.write('250 hello\r\n') : c.end())); };
	const cases = [[(c) => c, /time(d )?out/i], [old, /./], [(c) => c.resetAndDestroy(), /./], [(c) => c.end('HTTP/1.1 200 OK\r\n\r\n'), /./], [(c) => c.write('220 hello\r\n'), /time(d )?out/i],
		[(c) => { const more = () => { while (!c.destroyed && c.write('220-and so on\r\n'.repeat(1000))); }; c.on('drain', more); more(); }, /./]];
	for (const [says, why] of cases) {
		const port = await freePort(), sockets = new Set(), server = net.createServer((c) => { sockets.add(c); c.on('error', () => {}); says(c); });
		await listen(server, port);
		t.after(() => { sockets.forEach((c) => c.destroy()); server.close(); });
		const d = sink(t, { url: `smtp://127.0.0.1:${port}` }, { timeout: '300ms' }), answers = await d.send({ payload: '1' }, { payload: '2' }, { payload: '3' });
		assert.equal(results(answers), 'retry retry retry');
		assert.match(answers[2].why, why);
		await d.end();
	}
	const [gone] = await sink(t, { url: `smtp://127.0.0.1:${await freePort()}` }).send({});
	assert.match(gone.why, /connect/i);
});

test('killed and started again under load, it gets everything', async (t) => {
	const m = await mail(t), d = sink(t, { url: m.url }), count = 300;
	let left = Array.from({ length: count }, (_, n) => n), again = 0, kills = 0;
	while (left.length) {
		const batch = left.slice(0, 16), answer = d.send(...batch.map((n) => ({ payload: String(n) })));
		if (kills < 3 && left.length < count - 60 * (kills + 1)) {
			kills++;
			await m.kill();
			again += (await d.send({ payload: 'x' }))[0].result === 'retry';
			await answer;
			await m.start();
		}
		const done = await answer;
		left = left.slice(16).concat(batch.filter((_, n) => done[n].result === 'retry'));
		assert.ok(done.every((one) => one.result !== 'fail'), JSON.stringify(done));
	}
	assert.equal(again, 3);
	assert.equal(new Set(m.seen.map(bodyOf).filter((b) => b !== 'x\r\n')).size, count);
});
