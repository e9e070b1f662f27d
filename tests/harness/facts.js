// facts.js -- what differs between the Mosquittos that the end-to-end tests run with: a test asks here instead of being left out.
//
// SKEETER_BROKER names another Mosquitto than the installed one (tests/brokers). A version that the table lacks is an error.
'use strict';
const { spawnSync } = require('node:child_process');
const path = require('node:path');

const command = process.env.SKEETER_BROKER || 'mosquitto';
const PATH = `${process.env.PATH}:/usr/sbin:/sbin`;

const TABLE = {
	'2.0': {
		interface: '2.0',
		overQuota: 0x87,            // PUBACK of what found no room
		tellsForeign: false,        // plugins hear of subscriptions that another plugin decided
		delays: false,              // a plugin may decide about a CONNECT later
		forgetsExpired: false,      // a session that expired is no longer listed
	},
	'2.1': {
		interface: '2.1',
		overQuota: 0x97,
		tellsForeign: true,
		delays: true,
		forgetsExpired: true,
	},
};

const { stdout, error } = spawnSync(command, ['-h'], { encoding: 'utf8', env: { ...process.env, LD_PRELOAD: '', PATH } });
const version = (/^mosquitto version (\S+)/m.exec(stdout || '') || [])[1];
if (!version)
	throw error || new Error(`${command} -h names no version`);
const facts = TABLE[version.split('.').slice(0, 2).join('.')];
if (!facts)
	throw new Error(`nothing is known of Mosquitto ${version}: tests/harness/facts.js`);

// A plugin that comes with this Mosquitto: tests/broker-of unpacks it into `root` beside the command.
function plugin(name) {
	const root = process.env.SKEETER_BROKER ? path.join(path.dirname(command), 'root') : '/';
	const { stdout: found } = spawnSync('sh', ['-c', 'find "$0"usr/lib* "$0"usr/local/lib* -name "$1" 2>/dev/null', path.join(root, '/'), name], { encoding: 'utf8' });
	return found.split('\n')[0];
}

module.exports = { command, version, plugin, ...facts };
