/* version.h -- what this is: the file VERSION, or what git makes of it in a checkout ("0.2.0-7-g1a2b3c4"). */
#ifndef SK_VERSION_H
#define SK_VERSION_H

const char *sk_version_text(void);

#endif
