"""All campaigns, in the order of the page."""

from tests.fuzz import models, records

CAMPAIGNS = (*models.CAMPAIGNS, *records.CAMPAIGNS)
