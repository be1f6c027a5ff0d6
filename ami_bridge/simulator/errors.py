"""What can go wrong inside the simulated PBX itself; what goes wrong on its wires it answers as Asterisk does.

SimulatorError              the simulator was used wrongly, or one of its calls failed by a fault of its own
└── UnknownPhone            no phone of that name was configured
"""

from __future__ import annotations


class SimulatorError(Exception):
    """The simulator was used wrongly, or one of its calls failed by a fault of its own."""


class UnknownPhone(SimulatorError):
    """No phone of that name was configured; give it in `SimulatorSettings.phones`."""
