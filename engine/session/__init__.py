"""How a source and a target carry the stream over a connection, exactly once.

    source                                            target
    HELLO  versions, capabilities, what the pool has ->
                    <- WELCOME  version, capabilities, what is durable
    BATCH  records in their order                    ->
                    <- ACK  what is durable, what is applied
    HEARTBEAT  what was sent, where all is quiet     ->
    ERROR  why this connection ends                  <->

Three cursors: sent (Outbox), received-durable (it frees the pool) and applied (an image is ready
without further work). Nothing of a connection outlives it but these; a session that dies is made
anew, at either end, and the greeting finds the place to go on from. The states and what moves them
are in `states`, drawn in docs/states.md.
"""
