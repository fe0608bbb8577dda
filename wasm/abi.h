/* The C ABI of the core: what core.wasm exports, and what a native host may link as well. It is
 * what web/src/abi.js speaks; programs in C++ use mcp_session/server and mcp_session/session.
 *
 * Conventions
 *  1. One thread. Nothing here calls back, but mcps_entropy, which is imported.
 *  2. A server or client is an opaque handle, made by _new, ended by _delete, used in between only.
 *  3. Text is UTF-8, given by pointer and length, and only read during the call. Whoever has no
 *     memory that this module can read (a JavaScript host) gets some by mcps_alloc.
 *  4. Each call replaces the output, which is frames: mcps_output() and mcps_output_size(), valid
 *     until the next call of any function but these two.
 *  5. What happened goes in as one frame; what is to be done comes out as frames, none or many in
 *     a row. A frame is, little-endian and unaligned:
 *         u32 kind    i32 number    u64 id    u32 field count
 *         and for each field: u32 length, bytes; the length MCPS_ABSENT has no bytes: no such
 * field.
 *  6. A call whose input is wrong returns 1 (or null) and has done nothing; its output is one frame
 *     MCPS_ERROR [code name, message]. No input crashes.
 *  7. Time is milliseconds on a clock of the host that never goes back; if it does, it stands.
 *  8. The number mcps_abi_version returns changes when a host written for another would fail.
 */
#ifndef MCP_SESSION_WASM_ABI_H_
#define MCP_SESSION_WASM_ABI_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MCPS_ABI_VERSION 1u
#define MCPS_ABSENT 0xFFFFFFFFu

/* In each line: what `id` and `number` mean, and the fields. f64 is 8 bytes; ? may be absent.
 * Headers are a name and a value, in turns. What is meant is said in mcp_session/session/event.h,
 * effect.h and client_event.h. */
enum mcps_frame {
  MCPS_ERROR = 0, /* [code name, message]; in the output of a call that succeeded: a complaint */

  /* Both, in. */
  MCPS_WOKEN = 1,
  MCPS_MESSAGE_ARRIVED = 2, /* id channel (client: 0) [text] */
  MCPS_CHANNEL_CLOSED = 3,  /* id channel (client: 0) */
  /* Both, out. */
  MCPS_SEND = 8, /* id channel (client: 0) [text] */

  /* Server, in. */
  MCPS_HTTP_REQUESTED = 16,  /* id exchange [method, principal, body, headers...] */
  MCPS_EXCHANGE_CLOSED = 17, /* id exchange */
  MCPS_CHANNEL_OPENED = 18,  /* id channel [principal] */
  /* id run; number 1: the handle ends [result JSON?, state JSON?]; without a state it is
   * unchanged. The result is as web/index.d.ts describes what a ToolHandler answers. */
  MCPS_TOOL_REPLIED = 19,
  MCPS_TOOL_FAILED = 20,   /* id run [message for the model] */
  MCPS_TOOL_PROGRESS = 21, /* id run [progress f64, total f64?, message?] */

  /* Server, out. */
  MCPS_HTTP_RESPOND = 32, /* id exchange, number status [body, headers...] */
  MCPS_HTTP_STREAM = 33,  /* id exchange, number status [headers...] */
  MCPS_HTTP_CHUNK = 34,   /* id exchange [bytes] */
  MCPS_HTTP_END = 35,     /* id exchange */
  /* id run, number era (0 handshake, 1 stateless)
   * [tool, arguments JSON, state JSON?, handle, handles JSON, principal] */
  MCPS_TOOL_CALLED = 36,
  MCPS_TOOL_CANCELLED = 37, /* id run; a reply to it is ignored */

  /* Client, in. */
  MCPS_OPEN = 48,
  /* id call, number timeout, 0: the client's, -1: none [method, params JSON?, progress?,
     repeatable?, headers...] */
  MCPS_REQUEST = 49,
  MCPS_CANCEL = 50, /* id call */
  MCPS_CLOSE = 51,
  MCPS_RESPONSE_STARTED = 52, /* id exchange, number status [content type, session id] */
  MCPS_RESPONSE_BYTES = 53,   /* id exchange [bytes] */
  MCPS_RESPONSE_ENDED = 54,   /* id exchange */
  MCPS_EXCHANGE_FAILED = 55,  /* id exchange, number 1: opaque */
  MCPS_REPLY = 56,            /* id question [result JSON], or [absent, message of an error] */
  MCPS_ROOTS_CHANGED = 57,

  /* Client, out. */
  MCPS_HTTP_SEND = 64,   /* id exchange [method, body, headers...] */
  MCPS_HTTP_ABORT = 65,  /* id exchange */
  MCPS_OPENED = 66,      /* number era [revision, session id, server JSON] */
  MCPS_OPEN_FAILED = 67, /* [code name, message] */
  MCPS_ANSWERED = 68,    /* id call [result JSON] */
  MCPS_FAILED = 69,      /* id call [code name, message, JSON-RPC error JSON?] */
  MCPS_PROGRESSED = 70,  /* id call [params JSON] */
  MCPS_NOTIFIED = 71,    /* [method, params JSON] */
  MCPS_SESSION_LOST = 72,
  MCPS_CLOSED = 73,
  MCPS_ASKED = 74,     /* id question [method, params JSON] */
  MCPS_WITHDRAWN = 75, /* id question */

  /* Store, in: what is meant is said in mcp_session/store/command.h; versions and times are f64.
   * Each is answered by one DONE or FAILED, but for SAVE and RESTORE. */
  MCPS_STORE_CREATE = 80,       /* [owner, kind, id, data, idle ttl?, max life?, remember?] */
  MCPS_STORE_GET = 81,          /* [owner, kind, id] */
  MCPS_STORE_PUT = 82,          /* [owner, kind, id, data, expected version?] */
  MCPS_STORE_TOUCH = 83,        /* [owner, kind, id] */
  MCPS_STORE_REMOVE = 84,       /* [owner, kind, id, expected version?] */
  MCPS_STORE_REMOVE_OWNED = 85, /* [owner] */
  MCPS_STORE_LIST = 86,         /* number limit [owner, kind, cursor] */
  MCPS_STORE_SAVE = 87,
  MCPS_STORE_RESTORE = 88, /* [what SAVED had, age]; fails like a call whose input is wrong */

  /* Store, out. */
  MCPS_STORE_RECORD = 96, /* [id or empty, data, version, expires in, max life left?] */
  MCPS_STORE_DONE = 97,   /* number how many were removed [cursor] */
  MCPS_STORE_FAILED = 98, /* [code name]; after the record, if it is a conflict */
  MCPS_STORE_SAVED = 99,  /* [bytes] */
};

typedef struct mcps_store mcps_store;
typedef struct mcps_server mcps_server;
typedef struct mcps_client mcps_client;

/* Imported: fills `size` bytes from a cryptographically strong source, or does not return. */
void mcps_entropy(void* bytes, size_t size);

uint32_t mcps_abi_version(void);

/* Null: out of memory. */
void* mcps_alloc(size_t size);
void mcps_free(void* memory);

const void* mcps_output(void);
size_t mcps_output_size(void);

/* `options` is JSON: the limits in StoreOptions of web/index.d.ts. Null: MCPS_ERROR. */
mcps_store* mcps_store_new(const char* options, size_t size);
int mcps_store_handle(mcps_store* store, const void* frame, size_t size, double now);
double mcps_store_deadline(const mcps_store* store);
/* Grows with all that may have changed something, whoever did it. */
double mcps_store_changes(const mcps_store* store);
/* A server that stands on it goes on. */
void mcps_store_delete(mcps_store* store);

/* `options` is JSON: the members of SessionServerOptions in web/index.d.ts but clock, except that
 * hosts is always {hosts, origins} or "loopback", and store has the limits of a store of its own,
 * which it has if `store` is null. Null: MCPS_ERROR. */
mcps_server* mcps_server_new(const char* options, size_t size, const mcps_store* store);
/* `tool` is JSON: a ToolDefinition of web/index.d.ts. Its calls are told by MCPS_TOOL_CALLED. */
int mcps_server_tool(mcps_server* server, const char* tool, size_t size);
int mcps_server_handle(mcps_server* server, const void* frame, size_t size, double now);
/* When to send MCPS_WOKEN next; infinity: nothing waits for time to pass. */
double mcps_server_deadline(const mcps_server* server);
void mcps_server_delete(mcps_server* server);

/* `options` is JSON: name, version, capabilities, era, probeTimeout, requestTimeout and
 * maxRequestTime of McpClientOptions in web/index.d.ts; channel, listen: true; asked: true if
 * questions are answered; expectsHandshake: true if the server is known to be of that era; and
 * session: a SavedSession as text. */
mcps_client* mcps_client_new(const char* options, size_t size);
int mcps_client_handle(mcps_client* client, const void* frame, size_t size, double now);
double mcps_client_deadline(const mcps_client* client);
void mcps_client_delete(mcps_client* client);

#ifdef __cplusplus
}
#endif

#endif /* MCP_SESSION_WASM_ABI_H_ */
