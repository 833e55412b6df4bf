"""The composition root: settings, connectors and services become a web app and a command."""

from __future__ import annotations

import multiprocessing
import os
import secrets
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from flask import Flask
from granian.constants import Interfaces
from granian.server import Server
from sqlalchemy import make_url

import demo
from connectors.factory import make_mailer, make_sources
from provisioning.accounts.joining import create_accounts_blueprint
from provisioning.cli.root import create_cli
from provisioning.domain.errors import ConfigurationError
from provisioning.domain.policy import ContactPolicy, Policy, WhenFull
from provisioning.scim.provider import create_scim_blueprint
from provisioning.services.container import Services, ensure_intranet, ensure_sources
from provisioning.services.context import Actor, InvitationTimes, ServiceContext
from provisioning.settings import Settings, load_settings
from provisioning.storage import migrate
from provisioning.storage.base import Database
from provisioning.web.pages import create_admin_blueprint
from provisioning.web.security import harden
from scheduler.jobs import Schedule, jobs
from scheduler.local import LocalScheduler, next_run
