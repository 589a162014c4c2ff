"""Physics: simulated time, random streams, machines, disks, links, faults and the trace.

Modules that others use: `kernel` (time, processes, hosts), `streams`, `payload`, `disk`,
`volume`, `link`, `site`, `faults`, `trace`. Every emulated device's module begins with its fault
model: what may happen, what is promised, what is not checked.
"""
