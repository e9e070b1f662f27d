/* xml.h -- reading AWS's answers in XML: elements by name, as deep as they are. Foreign bytes: what is cut off or wrong is not found, never more.
 *
 * No entities but XML's five and numbers, no DTD; prefixes of namespaces are passed over. */
#ifndef SINK_AWS_XML_H
#define SINK_AWS_XML_H

#include <stdbool.h>
#include <stddef.h>

#include "core/arena.h"

struct aws_xml { /* a piece of a document, which is only lent */
	const char *at, *end;
};
/* The next element of that name, at any depth: its content. x goes on behind it. false: there is none that is whole. */
bool aws_xml_next(struct aws_xml *x, const char *name, struct aws_xml *content);
/* The text of the first element of that name in x, without what is marked up, decoded; NULL: there is none, or memory is out. */
const char *aws_xml_text(struct aws_xml x, const char *name, struct sk_arena *a);

#endif
