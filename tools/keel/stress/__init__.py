# SPDX-License-Identifier: MPL-2.0
"""What ./keel stress knows of stress-ng."""
