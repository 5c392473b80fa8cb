from __future__ import annotations

from benchmarks import front_door

if __name__ == "__main__":
    front_door.run()
