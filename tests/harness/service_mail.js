// service_mail.js -- a mail server of the test's own: npm's smtp-server on a free port.
//
//   const m = await mail(t, { auth: { user, pass }, refuse: ({ stage, address }) => '550 no' });
//
// m.seen has the mails: { from, to, text, tls, user }. `refuse` is asked at the stages mail, rcpt and data with what came. m.kill() resets every
// connection and closes the port; m.start() opens the same one again.
'use strict';
const { SMTPServer } = require('../node_modules/smtp-server');
const pki = require('./pki');
const { freePort } = require('./ports');

class Mail {
	constructor(spec) {
		this.spec = spec;
		this.seen = [];
		this.sockets = new Set();
		this.connections = 0;
	}
	get url() { return `${this.spec.secure ? 'smtps' : 'smtp'}://127.0.0.1:${this.port}`; }

	judge(stage, address, done, text) {
		const no = this.spec.refuse && this.spec.refuse({ stage, address, text });
		done(no ? Object.assign(new Error(no.slice(4)), { responseCode: Number(no.slice(0, 3)) }) : null);
	}

	options() {
		const { auth, secure, starttls = true } = this.spec, server = pki.server();
		return {
			secure, key: server.keyPem, cert: server.pem, authOptional: !auth, disableReverseLookup: true, disabledCommands: [...starttls ? [] : ['STARTTLS'], ...auth ? [] : ['AUTH']],
			allowInsecureAuth: true, closeTimeout: 100,
			onConnect: (session, done) => { this.connections++; done(); },
			onAuth: (a, session, done) => (auth && a.username === auth.user && a.password === auth.pass ? done(null, { user: a.username }) : done(new Error('Invalid username or password'))),
			onMailFrom: (address, session, done) => this.judge('mail', address.address, done),
			onRcptTo: (address, session, done) => this.judge('rcpt', address.address, done),
			onData: (stream, session, done) => {
				let text = '';
				stream.setEncoding('latin1').on('data', (d) => { text += d; }).on('end', () => this.judge('data', '', (no) => {
					if (!no)
						this.seen.push({ from: session.envelope.mailFrom.address, to: session.envelope.rcptTo.map((r) => r.address), text, tls: session.secure, user: session.user });
					done(no);
				}, text));
			},
		};
	}

	async start() {
		this.server = new SMTPServer(this.options());
		this.server.on('error', () => {});
		this.server.server.on('connection', (c) => { this.sockets.add(c); c.on('close', () => this.sockets.delete(c)); });
		this.port = this.port || await freePort();
		await new Promise((done) => this.server.listen(this.port, '127.0.0.1', done));
		return this;
	}

	async kill() {
		const closed = new Promise((done) => this.server.close(done));
		for (const c of this.sockets)
			c.resetAndDestroy();
		await closed;
	}
}

async function mail(t, spec = {}) {
	const m = new Mail(spec);
	await m.start();
	t.after(() => m.kill());
	return m;
}

module.exports = { mail };
