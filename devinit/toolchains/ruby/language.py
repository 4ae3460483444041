"""File names of Ruby."""

from __future__ import annotations

from devinit.toolchains.language import Language

RUBY = Language(name="ruby", lock_files=("Gemfile.lock", "gems.locked"), manifests=("Gemfile",))
