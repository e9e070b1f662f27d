/* reply.h -- answers as AWS gives them: status, error name, body, members that travel as headers. Pure. */
#ifndef HTTP_REPLY_H
#define HTTP_REPLY_H

#include "plugins/http/http.h"

/* Each fills x->reply; x->row may be NULL except for reply_output. */
void reply_output(struct http_call *x, const cJSON *out);
/* An SK_E_* with its message (NULL: the error's name) and further members of the error document (or NULL). */
void reply_error(struct http_call *x, int code, const char *message, const cJSON *fields);
void reply_refusal(struct http_call *x, const struct sigv4_refusal *no);
void reply_text(struct http_call *x, int status, const char *type, const char *text);

#endif
