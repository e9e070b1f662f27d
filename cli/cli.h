/* cli.h -- what the files of the skeeter command share: one run of it, and how a verb looks.
 *
 * Everything of one run lives in cli.arena; the process ends right after. A verb prints its own errors on stderr and
 * returns one of the exit codes below, which are the AWS CLI's where it has one for the case. */
#ifndef SKEETER_CLI_H
#define SKEETER_CLI_H

#include "cli/control.h"
#include "core/arena.h"
#include "core/json.h"

enum cli_exit {
	CLI_OK = 0,
	CLI_USAGE = 252,   /* the command line is wrong; nothing was sent */
	CLI_REFUSED = 254, /* the service answered with an error */
	CLI_FAILED = 255,  /* no connection, no answer, or anything else */
};

struct cli {
	struct sk_arena arena;
	const char *program;     /* as it was called, for hints that can be pasted */
	const char *socket;      /* of the operators */
	int timeout_ms;          /* for one answer */
	bool help;               /* --help was among the arguments */
	struct control *control; /* opened by cli_connect */
	const cJSON *operations; /* read by cli_table */
};

typedef int cli_run(struct cli *cli, int argc, char **argv);

struct cli_verb {
	const char *name;
	const char *arguments; /* as in the help */
	const char *prose;     /* one line */
	const char *details;   /* more lines for --help, or NULL */
	cli_run *run;          /* argv[0] is the first argument after the verb */
	int least, most;       /* arguments it takes; most -1 is any number */
};

/* Ends with a row of zeros. */
extern const struct cli_verb cli_verbs[];

/* "skeeter: ..." on stderr; returns code. */
int cli_fail(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Opens cli->control unless it is open. CLI_OK, or the error is printed. */
int cli_connect(struct cli *cli);
/* Calls one operation; `in` may be NULL. *data is its output. An error is printed as the AWS CLI prints it. */
int cli_call(struct cli *cli, const char *operation, const cJSON *in, const cJSON **data);
/* The array "operations" of ListOperations. An exit code; errors are printed. */
int cli_table(struct cli *cli, const cJSON **operations);
/* What an input of that table may hold, as people read it: ": A B" of an enum, ": a, b" of a struct's members, or "". */
const char *cli_choices(struct cli *cli, const cJSON *input);
/* Indented JSON and a newline on stdout. */
int cli_print(struct cli *cli, const cJSON *node);

/* Prints the answer's error as the AWS CLI does, or that there was none; its exit code. */
int cli_report(struct cli *cli, const char *operation, const cJSON *response);

int64_t cli_wall_ms(void);
/* Epoch seconds of a member, as AWS prints times, in ms; 0: it is not there. */
int64_t cli_time_of(const cJSON *node, const char *key);

/* AWS's id of the certificate in a PEM file: SHA-256 of the DER, in hexadecimal. NULL when the file is none. */
const char *cli_certificate_id(struct cli *cli, const char *path);

/* The folder that the socket is in: the demo's run/. */
const char *cli_run_folder(struct cli *cli);

/* The verbs, one family a file. */
cli_run cli_things, cli_get, cli_set, cli_watch;  /* things.c, watch.c */
cli_run cli_status, cli_policy, cli_new_device;    /* status.c, policy.c, new_device.c */
cli_run cli_check_config, cli_explain;             /* check_config.c, explain.c */
cli_run cli_rules;                                 /* rules.c */
cli_run cli_demo;                                  /* demo.c */
cli_run cli_operations, cli_api, cli_stats;        /* api.c */
/* Any other verb is an operation of the broker's table: create-thing (operation.c). */
int cli_operation(struct cli *cli, const char *verb, int argc, char **argv);
int cli_operation_help(struct cli *cli, const char *verb);

#endif
